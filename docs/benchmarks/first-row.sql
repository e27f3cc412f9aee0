-- How long until the first row is on standard output?
CREATE TABLE numbers (id BIGINT, v INT) WITH ('connector' = 'datagen', 'number-of-rows' = '10');
SELECT id, v FROM numbers;
