using FewStep.Denoising;
using FewStep.Fitting;
using FewStep.Noise;
using FewStep.Solvers;

namespace FewStep.Tests.Fitting;

public sealed class SamplerFitTests : FolderTests
{
    private static readonly GaussianMixture Mixture
        = new(new ImageShape(1, 2, 2), [0.3, 0.7], [[0.8, 0.8, 0.8, 0.8], [-0.6, -0.6, -0.6, -0.6]], [0.15, 0.2]);

    [Theory]
    [InlineData(4, "phase1", "uniform-t", 0.99)] // what a loss curve that rises without end makes of it: all steps at large noise
    [InlineData(4, "uniform-t", "uniform-t", 0)]
    [InlineData(2, "phase1", "karras", 0.99)]
    public void Where_Phase_1_misleads_standard_sigmas_are_fitted(int steps, string given, string taken, double crowded)
    {
        string path = _folder.File("mixture.json");
        TestMixtures.Write(path, Mixture);
        using var model = Model.Open(path);
        var schedule = crowded > 0
            ? new SamplingSchedule([.. Enumerable.Range(0, steps).Select(i => 80 * Math.Pow(crowded, i)), 0.002])
            : StandardSchedules.Find(taken).Create(steps, 0.002, 80);
        var sampler = new Sampler(schedule, SolverCatalog.Find("euler"))
        { Origin = new SamplerOrigin { Schedule = given, Source = ScheduleSource.Phase1 } };
        var fitted = model.FitSamplers([sampler], new FitOptions { Latents = 32, HeldOutLatents = 16, TeacherSteps = 24 })[0];
        Assert.Equal(taken, fitted.Origin.Schedule);
        Assert.Equal(StandardSchedules.Find(taken).Create(steps, 0.002, 80).Sigmas, fitted.Schedule.Sigmas);
        Assert.Equal(given != taken, fitted.Origin.Fit!.Stop.Contains($"on the sigmas of {taken}", StringComparison.Ordinal));
    }
}
