package io.s3destination;

import java.util.function.UnaryOperator;

/**
 * A fault of which the product knows nothing.
 *
 * @param place where it happens: two at one place cannot be combined
 * @param spared whether it leaves partition 1 alone
 * @param edit of the route, without which it cannot happen
 */
record UnnamedFault(Object place, String name, Effect effect, boolean spared, Begin begin, UnaryOperator<String> edit) {

    /** What it must do to the health of the connector. */
    enum Effect {
        /** Nothing: records are stored as before. */
        NONE,
        /** DOWN, and UP when it is over. */
        DOWN,
        /** DOWN, and no more live: only a restart helps. */
        DEAD
    }

    /** Makes it begin, and returns what ends it. */
    interface Begin {
        End in(HookedBundle bundle) throws Exception;
    }

    /** What ends a fault. */
    interface End {
        void run() throws Exception;
    }

    static UnnamedFault of(Object place, String name, Effect effect, Begin begin) {
        return new UnnamedFault(place, name, effect, false, begin, UnaryOperator.identity());
    }

    /** With partition 1 as before. */
    UnnamedFault sparingPartition1() {
        return new UnnamedFault(place, name, effect, true, begin, edit);
    }

    UnnamedFault with(UnaryOperator<String> newEdit) {
        return new UnnamedFault(place, name, effect, spared, begin, newEdit);
    }

    @Override
    public String toString() {
        return name;
    }
}
