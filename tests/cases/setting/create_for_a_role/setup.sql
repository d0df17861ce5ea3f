CREATE ROLE setting_app;
