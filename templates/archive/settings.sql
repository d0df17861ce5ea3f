{# What the text of values depends on, beside what a session has pinned already. Until the transaction's end. #}
SET LOCAL extra_float_digits = 3; SET LOCAL bytea_output = 'hex'; SET LOCAL lc_monetary = 'C'; SET LOCAL xmloption = 'content'
