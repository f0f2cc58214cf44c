package io.s3destination;

/** The chain of a partition cannot go on: an object, its metadata or the store is not what it must be. Says what to do. */
final class BrokenChain extends Exception {

    private static final long serialVersionUID = 1;

    BrokenChain(String message) {
        super(message);
    }
}
