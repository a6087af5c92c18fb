using System.Diagnostics;

namespace FewStep.Tests.Platform;

public sealed class TensorArithmeticBesideCollectionsTests
{
    // Of whole numbers x and fractions y: libtorch converts the ones to the others before it reads the number that is added or multiplied
    // with, which leaves time to free it.
    private static readonly Func<Tensor, Tensor, Tensor>[] Operations =
    [
        (x, y) => x.Plus(y), (x, y) => x.Plus(1.5), (x, y) => x.Plus(y, alpha: 0.3), (x, y) => y.clone().Plus_(x),
        (x, y) => y.clone().Plus_(x, alpha: 0.3), (x, y) => y.clone().Plus_(0.3),
        (x, y) => x.Minus(0.7), (x, y) => x.Times(2.5), (x, y) => x.Over(0.3), (x, y) => y.Squared(), (x, y) => y.Clamp(-1, 1),
        (x, y) => TensorArithmetic.Full([4], x[1].AsDouble(), ScalarType.Float64),
    ];

    // With TorchSharp's own operators about ten operations fail.
    [Fact]
    public void Numbers_live_until_libtorch_has_read_them()
    {
        using var scope = NewDisposeScope();
        Tensor x = arange(200_000), y = x.flip(0).to(ScalarType.Float32);
        Tensor[] expected = [.. Operations.Select(operation => operation(x, y))];
        Tensor first = x[..2], last = y[..2];
        Tensor[] small = [.. Operations.Select(operation => operation(first, last))];

        // Only optimised code lets go of a number before its method ends; calls bring that about, and pauses between them.
        for (var clock = Stopwatch.StartNew(); clock.ElapsedMilliseconds < 800; Thread.Sleep(1))
            Check(first, last, small);
        var hammering = Stopwatch.StartNew();
        ShareThreads.Run(3, share =>
        {
            while (hammering.ElapsedMilliseconds < 800)
            {
                if (share > 0)
                {
                    Check(x, y, expected);
                    continue;
                }

                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
    }

    private static void Check(Tensor x, Tensor y, Tensor[] expected)
    {
        for (int i = 0; i < Operations.Length; i++)
        {
            using var scope = NewDisposeScope();
            Assert.True(Operations[i](x, y).bytes.SequenceEqual(expected[i].bytes), $"operation {i}");
        }
    }
}
