"""Counts orders by region, a hundred a second, until it is stopped: `orders.sql` from Python."""

from pyflink.table import EnvironmentSettings, TableEnvironment

tables = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
tables.execute_sql("""
    CREATE TABLE orders (region INT, amount INT) WITH (
      'connector' = 'datagen', 'rows-per-second' = '100',
      'fields.region.min' = '1', 'fields.region.max' = '4',
      'fields.amount.min' = '1', 'fields.amount.max' = '100'
    )
""")
tables.execute_sql("CREATE TABLE by_region (region INT, orders BIGINT, total BIGINT) WITH ('connector' = 'print')")
tables.execute_sql("""
    INSERT INTO by_region
    SELECT region, COUNT(*), SUM(CAST(amount AS BIGINT)) FROM orders GROUP BY region
""")
