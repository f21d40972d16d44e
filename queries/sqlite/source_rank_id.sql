-- One part of an id as the text that it was printed as, which a column with a
-- type turns into its own, and as the number or the bytes that print so.
-- Slots: {part}, {text}, {value}. Locks: none; it is a piece of source_rank.
twinrow_ids.value ->> {part} AS {text},
CASE
WHEN twinrow_ids.value ->> {part} GLOB 'X''*''' THEN unhex(substr(twinrow_ids.value ->> {part}, 3, length(twinrow_ids.value ->> {part}) - 3))
WHEN CAST(CAST(twinrow_ids.value ->> {part} AS NUMERIC) AS TEXT) = twinrow_ids.value ->> {part} THEN CAST(twinrow_ids.value ->> {part} AS NUMERIC)
END AS {value}
