package io.s3destination.bench;

import org.junit.jupiter.api.Test;

/** The code of the benchmark; what it measures is not judged here. */
class BenchIT {

    @Test
    void comparesEachObjectWithItsRecord() throws Exception {
        Bench.run(true);
    }
}
