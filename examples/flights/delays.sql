-- Flight delays out of New York, January 2013: a stream, its late rows, and three results.
--
-- Run it from the root of the repository. The same script runs unchanged on Apache Flink 2.3.
--
-- The input stands in the order in which flights became known, not in the order of their schedule: a flight that
-- left three hours late comes three hours behind its neighbours. README.md beside this file tells more.

SET 'pipeline.name' = 'flight-delays';

-- Once a second the state of all operators is saved and the files written so far are committed together.
SET 'execution.checkpointing.interval' = '1 s';

-- The source. An empty field is NULL: a cancelled flight has no delay.
--
-- The watermark says how long the stream waits for late rows: once a departure scheduled for 14:00 has been seen,
-- everything scheduled before 12:00 is taken to be complete.
CREATE TABLE flights (
  sched_dep TIMESTAMP(3),
  carrier   STRING,
  flight    INT,
  tailnum   STRING,
  origin    STRING,
  dest      STRING,
  dep_delay INT,
  arr_delay INT,
  air_time  INT,
  distance  INT,
  WATERMARK FOR sched_dep AS sched_dep - INTERVAL '2' HOUR
) WITH (
  'connector' = 'filesystem',
  'path' = 'examples/flights/flights-2013-01.csv',
  'format' = 'csv',
  'csv.null-literal' = ''
);

-- The first sink: one line for each airport and hour. A file is visible only when a checkpoint has committed it,
-- so a reader never sees a line twice or half a line, even when the job is killed and resumed.
CREATE TABLE hourly_delays (
  window_start TIMESTAMP(3),
  window_end   TIMESTAMP(3),
  origin       STRING,
  flights      BIGINT,
  departed     BIGINT,
  delayed      INT,
  avg_delay    DOUBLE,
  max_delay    INT
) WITH (
  'connector' = 'filesystem',
  'path' = 'target/flights/hourly',
  'format' = 'csv'
);

-- The second sink: the flights somebody will remember, one JSON object each.
CREATE TABLE very_late_flights (
  flight    STRING,
  origin    STRING,
  dest      STRING,
  sched_dep TIMESTAMP(3),
  dep_delay INT,
  distance  INT,
  severity  STRING
) WITH (
  'connector' = 'filesystem',
  'path' = 'target/flights/very-late',
  'format' = 'json'
);

-- Both sinks in one job: the file is read once.
EXECUTE STATEMENT SET
BEGIN

-- Windows of one hour of scheduled departure. A window is complete when the watermark passes its end; rows that come
-- after that are dropped here. COUNT(*) counts cancelled flights, COUNT(dep_delay) does not.
INSERT INTO hourly_delays
SELECT
  window_start,
  window_end,
  origin,
  COUNT(*),
  COUNT(dep_delay),
  SUM(CASE WHEN dep_delay >= 15 THEN 1 ELSE 0 END),
  AVG(CAST(dep_delay AS DOUBLE)),
  MAX(dep_delay)
FROM TABLE(TUMBLE(TABLE flights, DESCRIPTOR(sched_dep), INTERVAL '1' HOUR))
GROUP BY window_start, window_end, origin;

-- A filter has no windows and waits for nothing: it keeps the rows that came too late for the query above.
INSERT INTO very_late_flights
SELECT
  carrier || CAST(flight AS STRING),
  origin,
  dest,
  sched_dep,
  dep_delay,
  distance,
  CASE WHEN dep_delay >= 360 THEN 'lost day' WHEN dep_delay >= 240 THEN 'half a day' ELSE 'hours' END
FROM flights
WHERE dep_delay >= 120;

END;

-- Last, a table on the terminal: one row for each airport and day. It ends when the input ends.
SELECT
  CAST(window_start AS DATE) AS flight_day,
  origin,
  COUNT(*) AS flights,
  COUNT(*) - COUNT(dep_delay) AS cancelled,
  SUM(CASE WHEN dep_delay >= 15 THEN 1 ELSE 0 END) AS delayed,
  ROUND(AVG(CAST(dep_delay AS DOUBLE)), 1) AS avg_delay,
  MAX(dep_delay) AS max_delay
FROM TABLE(TUMBLE(TABLE flights, DESCRIPTOR(sched_dep), INTERVAL '1' DAY))
GROUP BY window_start, window_end, origin;
