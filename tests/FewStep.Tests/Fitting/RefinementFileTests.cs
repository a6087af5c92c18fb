using System.Text.Json.Nodes;
using FewStep.Fitting;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Tests.Experiments;
using FewStep.Tests.Search;

namespace FewStep.Tests.Fitting;

public sealed class RefinementFileTests : FolderTests
{
    private static readonly FitOptions Options = new()
    { Latents = 48, HeldOutLatents = 24, TeacherSteps = 24, BatchSize = 16, RefineIterations = 4 };
    private static readonly SamplingSchedule Schedule = StandardSchedule.Karras().Create(3, 0.002, 80);

    private string Folder => _folder.Root;
    private RefinementFolder New => new(Folder);
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(4)] // in the second iteration: the first is kept
    [InlineData(7)]
    public void An_interrupted_refinement_goes_on_to_the_same_sampler_at_the_same_cost(int batches)
    {
        var whole = Fit(null, null, Token);
        Assert.Contains("refinements", whole.Stop, StringComparison.Ordinal);
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Token);
        Assert.ThrowsAny<OperationCanceledException>(() => Fit(New, new Told(w => CancelAfter(source, w, batches)), source.Token));
        Assert.Single(KeptFiles());
        List<long> told = [];
        var resumed = Fit(New, new Told(w => Refined(w, told)), Token);
        Assert.Equal(whole.Schedule, resumed.Schedule);
        Assert.Equal(whole.Solver, resumed.Solver);
        Assert.Equal((whole.Stop, whole.Evaluations), (resumed.Stop, resumed.Evaluations));
        Assert.True(told[0] > 3, "it began at the start");

        // One that is done is not done again.
        told.Clear();
        Assert.Equal(whole.Evaluations, Fit(New, new Told(w => Refined(w, told)), Token).Evaluations);
        Assert.Empty(told);
    }

    [Fact]
    public void Another_seed_begins_anew_and_each_deletes_its_own()
    {
        Fit(New, null, Token);
        string one = Assert.Single(KeptFiles());
        var kept = New;
        Fit(kept, null, Token, seed: 1);
        Assert.Equal(2, KeptFiles().Length);
        kept.Delete();
        Assert.Equal(one, Assert.Single(KeptFiles()));
    }

    [Theory]
    [InlineData("damping", "-1")]
    [InlineData("sigmas", "[1, 2]")]
    [InlineData("sigmas", "[3, 2]")]
    [InlineData("sigmas", "[81, 2, 1, 0.002]")]
    [InlineData("corrections", "null")]
    [InlineData("iterations", "\"one\"")]
    public void A_damaged_file_is_refused(string name, string value)
    {
        Fit(New, null, Token);
        string file = Assert.Single(KeptFiles());
        var content = JsonNode.Parse(File.ReadAllText(file))!;
        content[name] = JsonNode.Parse(value);
        File.WriteAllText(file, content.ToJsonString());
        Refused.With($"Delete {file}", () => Fit(New, null, Token));
    }

    private static FittedSchedule Fit(
        RefinementFolder? kept, IProgress<WorkProgress>? progress, CancellationToken cancellation, long seed = 0)
    {
        using var denoiser = SearchModels.Mixture();
        return new SolverFit(denoiser, denoiser, Options, seed, new PixelEmbedding()) { Refinements = kept }
            .Fit([[Schedule]], progress, cancellation).Single().Result;
    }

    private static void CancelAfter(CancellationTokenSource source, WorkProgress work, int batches)
    {
        if (work.Stage.StartsWith("refining", StringComparison.Ordinal) && work.Done >= batches)
            source.Cancel();
    }

    private static void Refined(WorkProgress work, List<long> told)
    {
        if (work.Stage.StartsWith("refining", StringComparison.Ordinal))
            told.Add(work.Done);
    }

    private string[] KeptFiles() => Directory.GetFiles(Folder, "refining-*.json");
}
