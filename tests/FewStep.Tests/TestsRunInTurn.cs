// One test at a time. The number of libtorch's threads, which the last bits of results depend on, is the whole process's; and a collection
// that one test causes may free a number while libtorch reads it for another (see TensorArithmetic), for tests write their arithmetic with
// TorchSharp's own operators.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
