-- Makes one transaction behave the same on every server: values print alike,
-- nothing waits for ever, hidden rows are an error. A setting that this
-- server does not know is left out.
-- Parameters: $1 statement time-out in milliseconds, 0 for none; $2 row_security.
-- Locks: none.
SELECT pg_catalog.set_config(s.name, w.value, true)
FROM (VALUES
    ('jit', 'off'),
    ('lock_timeout', '10s'),
    ('statement_timeout', $1::text),
    ('transaction_timeout', '0'),
    ('idle_in_transaction_session_timeout', '0'),
    ('row_security', $2::text),
    ('TimeZone', 'UTC'),
    ('DateStyle', 'ISO, YMD'),
    ('IntervalStyle', 'postgres'),
    ('extra_float_digits', '1'),
    ('bytea_output', 'hex'),
    ('lc_monetary', 'C'),
    ('client_encoding', 'UTF8'),
    ('max_parallel_workers_per_gather', '0')
) AS w(name, value)
JOIN pg_catalog.pg_settings AS s ON pg_catalog.lower(s.name) = pg_catalog.lower(w.name)
