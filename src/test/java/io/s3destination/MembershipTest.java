package io.s3destination;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.MemberAssignment;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.common.ConsumerGroupState;
import org.apache.kafka.common.Node;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MembershipTest {

    @ParameterizedTest
    @EnumSource(names = {"STABLE", "ASSIGNING", "RECONCILING"})
    void aMemberIsOneThatTheCoordinatorLists(ConsumerGroupState state) {
        assertThat(Membership.fault(Set.of("a"), group(state, "a", "b"))).isEmpty();
        assertThat(Membership.fault(Set.of("a", "b"), group(state, "a", "b"))).isEmpty();
        assertThat(Membership.fault(Set.of("a", "c"), group(state, "a", "b")))
                .contains("the group's coordinator does not list it");
        assertThat(Membership.fault(Set.of(""), group(state, "a", "b"))).isPresent();
    }

    @ParameterizedTest
    @EnumSource(names = {"PREPARING_REBALANCE", "COMPLETING_REBALANCE"})
    void noneTakesPartInAGroupThatRebalances(ConsumerGroupState state) {
        assertThat(Membership.fault(Set.of("a"), group(state, "a")))
                .hasValueSatisfying(why -> assertThat(why).contains("is rebalancing"));
    }

    private static ConsumerGroupDescription group(ConsumerGroupState state, String... members) {
        return new ConsumerGroupDescription(
                "to-s3",
                false,
                Stream.of(members)
                        .map(id -> new MemberDescription(
                                id, Optional.empty(), "client", "host", new MemberAssignment(Set.of())))
                        .toList(),
                "range",
                state,
                Node.noNode());
    }
}
