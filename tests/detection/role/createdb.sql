ALTER ROLE "{unique}_r" CREATEDB;
