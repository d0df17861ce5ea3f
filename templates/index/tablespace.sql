ALTER INDEX {{ object|ident }}
    SET TABLESPACE {{ after.tablespace|ident }}
