-- Generated rows through a filter and a projection.
CREATE TABLE numbers (id BIGINT, k INT, v INT) WITH (
  'connector' = 'datagen',
  'number-of-rows' = '10000000',
  'rows-per-second' = '1000000000',
  'fields.k.min' = '0', 'fields.k.max' = '9999'
);
CREATE TABLE sunk (id BIGINT, k INT, v INT) WITH ('connector' = 'blackhole');
INSERT INTO sunk SELECT id, k, v + 1 FROM numbers WHERE k > 100;
