package io.s3destination;

import java.util.Collection;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.common.ConsumerGroupState;
import org.apache.kafka.common.errors.CoordinatorNotAvailableException;

/** Whether consumers are members of their group, by the word of its coordinator. */
final class Membership {

    /** In which the members of a classic group read nothing. */
    private static final Set<ConsumerGroupState> REBALANCING =
            EnumSet.of(ConsumerGroupState.PREPARING_REBALANCE, ConsumerGroupState.COMPLETING_REBALANCE);

    private Membership() {}

    /** Why one of these consumers is no member, or takes no part for now. */
    static Optional<String> fault(Collection<String> memberIds, ConsumerGroupDescription group) {
        if (REBALANCING.contains(group.state())) {
            return Optional.of("the group is rebalancing, which ends when each of its members polls or its"
                    + " max.poll.interval.ms is over");
        }
        return group.members().stream()
                        .map(MemberDescription::consumerId)
                        .toList()
                        .containsAll(memberIds)
                ? Optional.empty()
                : Optional.of("the group's coordinator does not list it");
    }

    /** Why the coordinator does not answer. */
    static String unknown(Throwable cause) {
        return cause instanceof CoordinatorNotAvailableException
                        || String.valueOf(cause.getMessage()).contains("FIND_COORDINATOR")
                ? "the group has no coordinator: the brokers cannot find or create the topic __consumer_offsets, as where"
                        + " offsets.topic.replication.factor is larger than their number"
                : KafkaErrorRemedies.of(cause).text();
    }
}
