// One test at a time. libtorch spreads each over the processors anyway; the number of its threads, which the last bits of results depend
// on, is the whole process's; and a collection that one test causes may free a number while libtorch reads it for another (see
// TensorArithmetic), for tests write their arithmetic with TorchSharp's own operators.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
