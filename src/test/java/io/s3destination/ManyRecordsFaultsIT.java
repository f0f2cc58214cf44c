package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import io.s3destination.embedded.EmbeddedKafka;
import io.s3destination.embedded.EmbeddedS3;
import io.s3destination.embedded.FaultyProxy.Fault;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** The faults of {@link FaultsSuite} with 500 records in an object, and those that block a run in place of a record. */
class ManyRecordsFaultsIT extends FaultsSuite {

    ManyRecordsFaultsIT(EmbeddedKafka kafka, EmbeddedS3 s3) {
        super(kafka, s3, 500, 8_000);
    }

    @Test
    void aSecondInstanceComesAndGoes() throws Exception {
        aSecondInstanceComesAndGoesWith("cooperative-sticky", "CooperativeStickyAssignor");
    }

    @Test
    void anObjectThatIsRefusedForEverBlocksItsPartitionOnly() throws Exception {
        given(embeddedKafka);
        proxy.fail("/" + name + "-2-0000001000.", 1, Fault.ACCESS_DENIED);

        bundle.start();

        ledger.isCommittedBut(2, 1_000, PATIENCE);
        ledger.produce(records / 5);
        ledger.isCommittedBut(2, 1_000, PATIENCE);
        proxy.fix();
        ledger.isComplete(PATIENCE);
        reportedAsOutages();
    }

    @Test
    void noObjectIsStoredBeforeTheDeadLettersOfItsRecords() throws Exception {
        given(embeddedKafka);
        proxy.fail("-dead-letter/", 1, Fault.ACCESS_DENIED);

        bundle.start();
        Awaitility.await().atMost(PATIENCE).until(() -> bundle.log().contains("cannot store s3://"));
        lasting(FAULT);
        assertThat(keys()).containsExactly("datalake/_chain/" + name);
        proxy.fix();

        ledger.isComplete(PATIENCE);
        reportedAsOutages();
    }
}
