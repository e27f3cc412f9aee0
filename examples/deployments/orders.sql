-- A small application that runs until it is stopped: orders are counted by region.
--
-- Kobel's engine (native-sql.yaml) and Apache Flink (flink-sql.yaml) run it alike.

CREATE TABLE orders (
  id     BIGINT,
  region INT,
  amount INT
) WITH (
  'connector' = 'datagen',
  'rows-per-second' = '100',
  'fields.region.min' = '1',
  'fields.region.max' = '4',
  'fields.amount.min' = '1',
  'fields.amount.max' = '100'
);

CREATE TABLE by_region (
  region INT,
  orders BIGINT,
  total  BIGINT
) WITH (
  'connector' = 'print'
);

INSERT INTO by_region
SELECT region, COUNT(*), SUM(CAST(amount AS BIGINT))
FROM orders
GROUP BY region;
