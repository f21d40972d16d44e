-- Steers the planner of one transaction for reading a table by place: never
-- through an index, which may lie, and by ranges of blocks only where asked.
-- Parameters: $1 enable_tidscan, $2 enable_seqscan.
-- Locks: none.
SELECT pg_catalog.set_config('enable_tidscan', $1::text, true),
       pg_catalog.set_config('enable_seqscan', $2::text, true),
       pg_catalog.set_config('enable_indexscan', 'off', true),
       pg_catalog.set_config('enable_indexonlyscan', 'off', true),
       pg_catalog.set_config('enable_bitmapscan', 'off', true)
