-- One end of Wilson's 95 % interval (1927) for a rate over n trials: the lower one for side -1, the upper one for 1.
CREATE MACRO wilson(rate, n, side) AS
    (rate + 1.9207294103 / n + side * 1.959963984540054 * sqrt(rate * (1 - rate) / n + 0.96036470515 / (n * n)))
    / (1 + 3.8414588206 / n);
