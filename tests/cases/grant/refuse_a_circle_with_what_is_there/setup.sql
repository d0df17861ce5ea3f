CREATE ROLE circle_a;
CREATE ROLE circle_b;
CREATE ROLE circle_c;
GRANT circle_c TO circle_b;
GRANT circle_a TO circle_c;
