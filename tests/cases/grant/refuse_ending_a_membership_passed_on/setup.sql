CREATE ROLE grant_team;
CREATE ROLE grant_lead;
CREATE ROLE grant_junior;
CREATE ROLE grant_other;
GRANT grant_team TO grant_lead WITH ADMIN OPTION;
GRANT grant_team TO grant_other;
SET ROLE grant_lead;
GRANT grant_team TO grant_junior;
RESET ROLE;
