{# Rows of an earlier copy go into it, to be compared with the chunk's. #}
CREATE TEMPORARY TABLE chronoform_asked (LIKE {{ chunk|ident }}) ON COMMIT DROP
