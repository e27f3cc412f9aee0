import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.lib.NumberSequenceSource;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Counts orders by region, a hundred a second, until it is stopped. Runs on Flink 1.20 and 2.x. To make a jar of it:
 *
 * <pre>
 * FLINK_HOME=$(kobel flink install 2.3)
 * javac -cp "$FLINK_HOME/lib/*" -d classes Orders.java
 * jar --create --file orders.jar --main-class Orders -C classes .
 * </pre>
 */
public class Orders {
    public static void main(String[] args) throws Exception {
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        env.fromSource(new NumberSequenceSource(1, Long.MAX_VALUE), WatermarkStrategy.noWatermarks(), "orders")
                .uid("orders")
                .map(id -> {
                    Thread.sleep(10);
                    return Tuple2.of(id % 4, 1L);
                })
                .returns(Types.TUPLE(Types.LONG, Types.LONG))
                .keyBy(order -> order.f0)
                .sum(1)
                .uid("by region")
                .print();
        env.execute("orders");
    }
}
