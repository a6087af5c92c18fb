using CsCheck;
using FewStep.Metrics;
using TorchSharp;

namespace FewStep.Tests.Metrics;

public sealed class ImageMetricTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void The_kernel_distance_of_whole_sets_is_the_double_sum_over_pairs()
    {
        Gen.Select(Gen.Int[2, 7], Gen.Int[1, 4], Gen.Long[0, 1000]).Sample((n, d, seed) =>
        {
            using var scope = NewDisposeScope();
            double[][] a = Rows((ulong)seed, n, d), b = Rows((ulong)seed + 5000, n, d);
            double expected = 0;
            for (int i = 0; i < n; i++)
            {
                for (int j = 0; j < n; j++)
                {
                    expected += (i == j ? 0 : (Kernel(a[i], a[j]) + Kernel(b[i], b[j])) / (n * (n - 1.0)))
                        - (2 * Kernel(a[i], b[j]) / ((double)n * n));
                }
            }

            var (mean, deviation) = KernelDistance.Between(Matrix(a), Matrix(b), 100, 1000, 0);
            Assert.Equal(expected, mean, 1e-9 * (1 + Math.Abs(expected)));
            Assert.Null(deviation);
        }, iter: 40, threads: 1);
    }

    [Fact]
    public void The_kernel_distance_is_unbiased_and_sees_a_shift()
    {
        Tensor a = Normal(1, 600, 5), b = Normal(2, 600, 5);
        var (same, deviation) = KernelDistance.Between(a, b, 60, 100, 3);
        Assert.InRange(Math.Abs(same), 0, 3 * deviation!.Value / Math.Sqrt(6)); // six disjoint subsets' worth of images
        Assert.True(KernelDistance.Between(a, b + 1, 60, 100, 3).Value > 10 * deviation.Value);
        Assert.Equal(KernelDistance.Between(a, b, 7, 50, 3), KernelDistance.Between(a, b, 7, 50, 3));
        Assert.NotEqual(KernelDistance.Between(a, b, 7, 50, 3), KernelDistance.Between(a, b, 7, 50, 4));
        Assert.Throws<ArgumentException>(() => KernelDistance.Between(a, Normal(1, 5, 4), 1, 10, 0));
    }

    [Fact]
    public void Neighbour_metrics_agree_with_counting_balls()
    {
        Gen.Select(Gen.Int[7, 20], Gen.Int[7, 20], Gen.Int[1, 3], Gen.Int[1, 5], Gen.Long[0, 1000]).Sample((n, m, k, c, seed) =>
        {
            using var scope = NewDisposeScope();
            double[][] real = Rows((ulong)seed, n, 2), fake = Rows((ulong)seed + 5000, m, 2);
            double[] realK = Radii(real, k), realC = Radii(real, c), fakeK = Radii(fake, k);
            double precision = fake.Average(f => real.Where((r, i) => Distance(f, r) <= realK[i]).Any() ? 1.0 : 0);
            double recall = real.Average(r => fake.Where((f, j) => Distance(f, r) <= fakeK[j]).Any() ? 1.0 : 0);
            double density = fake.Sum(f => real.Where((r, i) => Distance(f, r) <= realC[i]).Count()) / (double)(c * m);
            double coverage = real.Where((r, i) => fake.Min(f => Distance(f, r)) <= realC[i]).Count() / (double)n;
            var found = NeighbourMetrics.Between(Matrix(real), Matrix(fake), k, c);
            Assert.Equal((precision, recall, density, coverage), (found.Precision, found.Recall, found.Density, found.Coverage));
        }, iter: 60, threads: 1);
    }

    [Fact]
    public void Known_cases_of_neighbour_metrics()
    {
        Tensor a = Normal(1, 60, 3);
        var same = NeighbourMetrics.Between(a, a);
        Assert.Equal((1.0, 1.0, 1.0), (same.Precision, same.Recall, same.Coverage));
        Assert.InRange(same.Density, 1, 1.3); // each image lies in its own ball and, on average, in five others': 6/5
        Assert.Equal(new NeighbourMetrics(0, 0, 0, 0), NeighbourMetrics.Between(a, a + 1000));
        // One real image, copied: every copy is real, and hardly any of reality is covered.
        var single = NeighbourMetrics.Between(a, a.narrow(0, 0, 1).expand(60, 3));
        Assert.Equal(1, single.Precision);
        Assert.InRange(single.Recall, 1 / 60.0, 1 / 60.0);
        Assert.Throws<InvalidInputException>(() => NeighbourMetrics.Between(a.narrow(0, 0, 5), a));
        Assert.Throws<ArgumentException>(() => NeighbourMetrics.Between(a, Normal(1, 60, 4)));
    }

    [Fact]
    public void Blocks_change_nothing()
    {
        Tensor real = Normal(1, 130, 2), fake = Normal(2, 90, 2) * 0.5;
        var whole = NeighbourMetrics.Between(real, fake);
        foreach (int rows in new[] { 1, 7, 50 })
            Assert.Equal(whole, NeighbourMetrics.Between(real, fake, 3, 5, rows * 130 * sizeof(double), default));
        Assert.True(whole.Precision > 0.9 && whole.Recall < 0.9);
    }

    [Fact]
    public void Class_scores_of_known_distributions()
    {
        // Sure of every image, classes equally often: the number of classes. No idea of any: 1.
        Assert.Equal(4, Score((eye(4) * 1000).repeat(6, 1), 1).Value, 1e-9);
        Assert.Equal(1, Score(zeros(10, 7), 1).Value, 1e-12);
        var (mean, deviation) = Score((eye(4) * 1000).repeat(6, 1), 6); // each part holds every class once
        Assert.Equal((4, 0), (mean, deviation!.Value));
        // Parts of one class each.
        Assert.Equal(1, Score((eye(4) * 1000).repeat_interleave(5, 0), 4).Value, 1e-9);
        Tensor logits = Normal(3, 25, 6) * 3;
        double[][] p = [.. Enumerable.Range(0, 25).Select(i => logits[i].softmax(0).data<double>().ToArray())];
        double expected = Enumerable.Range(0, 5).Average(s =>
        {
            double[][] part = p[(5 * s)..(5 * (s + 1))];
            return Math.Exp(part.Average(row => row.Select((v, c) => v * Math.Log(v / part.Average(r => r[c]))).Sum()));
        });
        Assert.Equal(expected, Score(logits, 5).Value, 1e-9);
    }

    private static MetricValue Score(Tensor logits, int splits)
    {
        using var score = new ClassScore((int)logits.shape[1], logits.shape[0], splits);
        for (long start = 0; start < logits.shape[0]; start += 3)
            score.Add(logits.narrow(0, start, Math.Min(3, logits.shape[0] - start)));
        return score.Value();
    }

    private static double Kernel(double[] x, double[] y) => Math.Pow((x.Zip(y, (a, b) => a * b).Sum() / x.Length) + 1, 3);

    private static double Distance(double[] x, double[] y) => Math.Sqrt(x.Zip(y, (a, b) => (a - b) * (a - b)).Sum());

    private static double[] Radii(double[][] x, int k)
        => [.. x.Select((row, i) => x.Where((_, j) => j != i).Select(other => Distance(row, other)).Order().ElementAt(k - 1))];

    private static double[][] Rows(ulong seed, int n, int d)
    {
        var random = new Random((int)seed);
        return [.. Enumerable.Range(0, n).Select(_ => Enumerable.Range(0, d).Select(_ => random.NextDouble() * 2).ToArray())];
    }

    private static Tensor Matrix(double[][] rows) => tensor(rows.SelectMany(r => r).ToArray()).reshape(rows.Length, rows[0].Length);

    private static Tensor Normal(ulong seed, int rows, int columns)
        => randn([rows, columns], ScalarType.Float64, generator: new Generator(seed));
}
