ALTER ROLE "{unique}_r" VALID UNTIL 'infinity';
