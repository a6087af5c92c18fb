using CsCheck;
using System.Runtime.InteropServices;
using FewStep.Metrics;
using TorchSharp;

namespace FewStep.Tests.Metrics;

public sealed class FrechetDistanceTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    private sealed record Golden(int Dimension, int RowsA, int RowsB, double FrechetAb,
        [property: System.Text.Json.Serialization.JsonPropertyName("frechet_a10_b")] double FrechetA10B);

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Agrees_with_the_reference_implementation()
    {
        var golden = JsonFile.Read<Golden>(GoldenPath("frechet.golden.json"));
        using var a = Statistics(Matrix("features-a.f64", golden.RowsA, golden.Dimension));
        using var b = Statistics(Matrix("features-b.f64", golden.RowsB, golden.Dimension));
        Assert.Equal(golden.FrechetAb, FrechetDistance.Between(a, b), golden.FrechetAb * 1e-10);
    }

    [Fact]
    public void A_singular_covariance_agrees_with_the_reference_implementation()
    {
        var golden = JsonFile.Read<Golden>(GoldenPath("frechet.golden.json"));
        using var a = Statistics(Matrix("features-a.f64", golden.RowsA, golden.Dimension).narrow(0, 0, 10));
        using var b = Statistics(Matrix("features-b.f64", golden.RowsB, golden.Dimension));
        double distance = FrechetDistance.Between(a, b);
        Assert.Equal(golden.FrechetA10B, distance, golden.FrechetA10B * 1e-6);
        Assert.Equal(distance, FrechetDistance.Between(b, a), distance * 1e-12);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(5)] // singular: fewer vectors than dimensions
    public void Identical_sets_have_distance_zero(int rows)
    {
        using var a = Statistics(Normal(1, rows, 12) * 3 + 7);
        Assert.InRange(FrechetDistance.Between(a, a), 0, 1e-10);
    }

    [Fact]
    public void A_set_without_spread_is_at_the_distance_of_means_and_traces()
    {
        using var point = Statistics(zeros(4, 3, dtype: ScalarType.Float64));
        using var other = Statistics(tensor(new double[,] { { 1, 0, 0 }, { 3, 0, 0 } })); // mean 2, variance 2 along the first axis
        Assert.Equal(4 + 2, FrechetDistance.Between(point, other), 1e-12);
    }

    [Fact]
    public void Diagonal_gaussians_have_their_closed_form()
    {
        // For commuting covariances the distance is |m_a - m_b|^2 + sum (sqrt(v_a) - sqrt(v_b))^2.
        Gen.Select(Gen.Double[0.01, 50].Array[4], Gen.Double[0.01, 50].Array[4], Gen.Double[-9, 9].Array[4]).Sample((va, vb, m) =>
        {
            using var scope = NewDisposeScope();
            using var a = FeatureStatistics.FromMoments(9, tensor(m), diag(tensor(va)));
            using var b = FeatureStatistics.FromMoments(5, zeros(4, dtype: ScalarType.Float64), diag(tensor(vb)));
            double expected = m.Sum(x => x * x) + va.Zip(vb).Sum(v => Math.Pow(Math.Sqrt(v.First) - Math.Sqrt(v.Second), 2));
            Assert.Equal(expected, FrechetDistance.Between(a, b), 1e-9 * (1 + expected));
        }, iter: 50, threads: 1);
    }

    [Fact]
    public void It_is_symmetric_and_invariant_under_rotation()
    {
        Tensor fa = Normal(3, 60, 8), fb = Normal(4, 40, 8) * 2 + 1;
        var (q, _) = linalg.qr(Normal(5, 8, 8));
        using var a = Statistics(fa);
        using var b = Statistics(fb);
        using var ra = Statistics(fa.mm(q));
        using var rb = Statistics(fb.mm(q));
        double distance = FrechetDistance.Between(a, b);
        Assert.True(distance > 1);
        Assert.Equal(distance, FrechetDistance.Between(b, a), 1e-10 * distance);
        Assert.Equal(distance, FrechetDistance.Between(ra, rb), 1e-10 * distance);
    }

    [Fact]
    public void Statistics_of_other_dimensions_or_of_one_image_are_refused()
    {
        using var three = Statistics(Normal(1, 5, 3));
        using var four = Statistics(Normal(1, 5, 4));
        using var single = Statistics(Normal(1, 1, 3));
        Assert.Throws<ArgumentException>(() => FrechetDistance.Between(three, four));
        Assert.Throws<InvalidOperationException>(() => FrechetDistance.Between(three, single));
    }

    private static string GoldenPath(string file) => Path.Combine(AppContext.BaseDirectory, "golden", "fid", file);

    private static Tensor Matrix(string file, int rows, int columns) =>
        tensor(MemoryMarshal.Cast<byte, double>(File.ReadAllBytes(GoldenPath(file))).ToArray()).reshape(rows, columns);

    private static Tensor Normal(ulong seed, int rows, int columns)
        => randn([rows, columns], ScalarType.Float64, generator: new Generator(seed));

    private static FeatureStatistics Statistics(Tensor features)
    {
        var made = new FeatureStatistics((int)features.shape[1]);
        made.Add(features);
        return made;
    }
}
