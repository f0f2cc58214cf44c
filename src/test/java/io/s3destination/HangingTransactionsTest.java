package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class HangingTransactionsTest {

    private static final TopicPartition ORDERS = new TopicPartition("orders", 0);
    private static final TopicPartition CUSTOMERS = new TopicPartition("customers", 1);

    private long now = Long.MAX_VALUE - 7;
    private final HangingTransactions transactions = new HangingTransactions("to-s3", Duration.ofMinutes(15), now);

    @Test
    void aTransactionThatIsOpenForAQuarterOfAnHourIsReportedOnce() {
        for (int minute = 0; minute < 15; minute++) {
            assertThat(look(5, minute)).isEmpty();
        }
        assertThat(transactions.number()).isZero();

        assertThat(look(5, 15)).containsExactly(ORDERS);
        assertThat(look(5, 16)).isEmpty();
        assertThat(transactions.number()).isOne();

        assertThat(look(7, 17)).isEmpty();
        assertThat(transactions.number()).isZero();
    }

    @Test
    void transactionsThatFollowOneAnotherAreNone() {
        for (int minute = 0; minute < 100; minute++) {
            assertThat(look(minute, minute)).isEmpty();
        }
    }

    @Test
    void looksOnceAMinute() {
        assertThat(transactions.isDue(now)).isTrue();

        look(5, 0);

        assertThat(transactions.isDue(now + Duration.ofSeconds(59).toNanos())).isFalse();
        assertThat(transactions.isDue(now + Duration.ofSeconds(60).toNanos())).isTrue();
    }

    /** One partition with an open transaction from that offset on, and one whose log is read to its end. */
    private Set<TopicPartition> look(long stable, long idle) {
        now += Duration.ofMinutes(1).toNanos();
        return transactions.look(now, Map.of(ORDERS, stable, CUSTOMERS, idle), Map.of(ORDERS, 1_000L, CUSTOMERS, idle));
    }
}
