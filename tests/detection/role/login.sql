ALTER ROLE "{unique}_r" NOLOGIN;
