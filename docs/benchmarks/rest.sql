-- As tumble.sql, for long enough to be asked questions meanwhile.
SET 'table.local-time-zone' = 'UTC';
CREATE TABLE numbers (
  n BIGINT, k INT,
  ts AS TO_TIMESTAMP_LTZ(n, 3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '1000000000',
  'fields.n.kind' = 'sequence', 'fields.n.start' = '0', 'fields.n.end' = '149999999',
  'fields.k.min' = '0', 'fields.k.max' = '9999'
);
CREATE TABLE sunk (k INT, c BIGINT, window_start TIMESTAMP(3)) WITH ('connector' = 'blackhole');
INSERT INTO sunk
SELECT k, COUNT(*), window_start
FROM TABLE(TUMBLE(TABLE numbers, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY k, window_start, window_end;
