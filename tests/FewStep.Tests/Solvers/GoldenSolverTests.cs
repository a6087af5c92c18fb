using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Tests.Solvers;

public class GoldenSolverTests
{
    [Fact]
    public void Samples_and_counted_evaluations_are_those_of_the_reference()
    {
        int runs = 0;
        foreach (var golden in SolverGolden.Read().Cases)
        {
            using var scope = NewDisposeScope();
            using var denoiser = new GaussianMixtureDenoiser(golden.Data());
            long[] shape = [.. golden.Shape.Select(s => (long)s)];
            var latents = tensor(golden.Latents, float64).view(shape);
            foreach (var run in golden.Runs)
            {
                var terminal = run.DenoisesToZero ? ScheduleTerminal.Zero : ScheduleTerminal.SigmaMin;
                var options = new SampleOptions { AnalyticalFirstStep = run.HasAnalyticalFirstStep };
                var sampler = new SamplingLoop(
                    denoiser, SolverCatalog.Find(run.Text()), new SamplingSchedule(golden.Schedule.Sigmas, terminal), options);
                var result = sampler.Sample(latents);
                double error = (result.Samples - tensor(run.Samples, float64).view(shape)).abs().max().item<double>();
                Assert.True(error < run.Tolerance, $"{run} on {golden.Schedule.Kind}: {error}");
                Assert.Equal(run.Nfe, result.EvaluationsPerImage);
                Assert.Equal(run.Nfe * shape[0], result.Evaluations);
                runs++;
            }
        }

        Assert.Equal(100, runs);
    }
}
