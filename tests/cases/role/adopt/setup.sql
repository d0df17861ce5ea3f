CREATE ROLE role_adopt LOGIN;
