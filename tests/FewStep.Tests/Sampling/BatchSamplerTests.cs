using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;
using TorchSharp;

namespace FewStep.Tests.Sampling;

public sealed class BatchSamplerTests : IDisposable
{
    private static readonly ImageShape Shape = new(3, 4, 4);

    private readonly GaussianMixtureDenoiser _denoiser = new(
        new GaussianMixture(Shape, [0.5, 0.5], [[.. Enumerable.Repeat(0.5, 48)], [.. Enumerable.Repeat(-0.5, 48)]], [0.2, 0.3], [0, 1]));

    public void Dispose() => _denoiser.Dispose();

    [Fact]
    public void Images_do_not_depend_on_the_batch_size()
    {
        using var scope = NewDisposeScope();
        var whole = All(64, float64);
        Assert.Equal(11, whole.shape[0]);
        foreach (int size in new[] { 1, 3, 11 })
        {
            Assert.True(allclose(whole, All(size, float64), 1e-13, 1e-13));
            Assert.True(allclose(All(64, float32), All(size, float32), 1e-4, 1e-5));
        }
    }

    [Fact]
    public void Batches_cover_the_seeds_in_order_with_balanced_labels_and_progress()
    {
        var reports = new List<WorkProgress>();
        var seen = new List<long>();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        foreach (var batch in Driver(4, float32)
            .Sample(SeedList.Parse("0-5,100-104"), new Immediate(reports.Add), TestContext.Current.CancellationToken))
        {
            using (batch)
            {
                seen.AddRange(batch.Seeds);
                Assert.Equal(batch.Seeds.Select(s => s % 2), batch.Labels!.data<long>());
                Assert.Equal(batch.Seeds.Count * 8, batch.Evaluations);
            }
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.Equal(SeedList.Parse("0-5,100-104"), seen);
        Assert.Equal([4, 8, 11], reports.Select(r => r.Done));
        Assert.All(reports, r => Assert.Equal((11, "img"), (r.Total, r.Unit)));
    }

    [Fact]
    public void Given_latents_are_sampled_in_batches_with_their_labels_or_their_numbers()
    {
        using var scope = NewDisposeScope();
        var seeds = SeedList.Parse("0-6");
        var latents = Latents.Draw(seeds, Shape, float64);
        var fromSeeds = cat([.. Driver(64, float64).Sample(seeds).Select(b => b.Images)]);
        var batches = Driver(3, float32).Sample(latents, null).ToList();
        Assert.Equal([3, 3, 1], batches.Select(b => b.Seeds.Count));
        Assert.Equal(seeds, batches.SelectMany(b => b.Seeds));
        Assert.True(allclose(fromSeeds, cat([.. batches.Select(b => b.Images)]), 1e-13, 1e-13)); // float64 like the latents

        var labels = tensor([1L, 1, 1, 0, 0, 0, -1]);
        var labelled = Driver(2, float32).Sample(latents, labels).ToList();
        Assert.Equal(labels.data<long>(), labelled.SelectMany(b => b.Labels!.data<long>()));
        Assert.Throws<ArgumentException>(() => Driver(2, float32).Sample(latents, tensor([1L])));
    }

    [Fact]
    public void Impossible_options_are_refused_before_any_work()
    {
        Assert.Throws<InvalidInputException>(() => Driver(0, float32).Sample([1]));
        var sampler = new SamplingLoop(_denoiser, new EulerSolver(), StandardSchedules.Create("karras", 4, 0.002, 80));
        var e = Assert.Throws<InvalidInputException>(() => new BatchSampler(sampler) { Label = 2 }.Sample([1]));
        Assert.Contains("0 to 1", e.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidInputException>(() => SeedLabels.CheckLabel(0, 0));
        SeedLabels.CheckLabel(0, -1);
        SeedLabels.CheckLabel(10, 9);
        Assert.Null(SeedLabels.For([1, 2], 0));
    }

    private Tensor All(int size, ScalarType type)
        => cat([.. Driver(size, type).Sample(SeedList.Parse("0-5,100-104")).Select(b => b.Images)]);

    private BatchSampler Driver(int size, ScalarType type) =>
        new(new SamplingLoop(_denoiser, new HeunSolver(), StandardSchedules.Create("karras", 4, 0.002, 80)))
        { BatchSize = size, Type = type };

    private sealed class Immediate(Action<WorkProgress> report) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => report(value);
    }
}
