CREATE ROLE role_owner;
CREATE ROLE role_granted;
CREATE TABLE public.owned (a int);
ALTER TABLE public.owned OWNER TO role_owner;
GRANT SELECT ON public.owned TO role_granted;
