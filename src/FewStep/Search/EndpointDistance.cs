using FewStep.Noise;
using FewStep.Platform;
using FewStep.Sampling;
using FewStep.Solvers;
using static TorchSharp.torch;

namespace FewStep.Search;

/// <summary>How far samplers end from a fine teacher that starts at the same latents: mean-square difference of an image value.</summary>
internal sealed class EndpointDistance : IDisposable
{
    private readonly PairedSampling _paired;
    private readonly SeedList _seeds;
    private readonly Tensor _teacher; // [B,C,H,W]

    private EndpointDistance(PairedSampling paired, SeedList seeds, Tensor teacher) => (_paired, _seeds, _teacher) = (paired, seeds, teacher);

    /// <summary>Runs the teacher, Heun's method on Karras' schedule.</summary>
    /// <param name="paired">Runs and counts.</param>
    /// <param name="seeds">Latents.</param>
    /// <param name="request">Ends of the schedules.</param>
    /// <param name="teacherSteps">Steps of the teacher, two evaluations each.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public static EndpointDistance ToTeacher(PairedSampling paired, SeedList seeds, ScheduleSearchRequest request, int teacherSteps, CancellationToken cancellation)
    {
        var fine = StandardSchedule.Karras().Create(teacherSteps, request.SigmaMin, request.SigmaMax, request.Terminal);
        return new EndpointDistance(paired, seeds, paired.Endpoints(new HeunSolver(), fine, seeds, cancellation).DetachFromDisposeScope());
    }

    /// <summary>Differences of the ends of a sampler from the teacher's, [latents, image values], float32; they belong to the current dispose scope.</summary>
    /// <param name="solver">The sampler's solver.</param>
    /// <param name="schedule">The sampler's schedule.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <param name="student">Runs the sampler where it is another model than the teacher; null for the same.</param>
    public Tensor Residuals(ISolver solver, SamplingSchedule schedule, CancellationToken cancellation, PairedSampling? student = null)
    {
        using var scope = NewDisposeScope();
        return ((student ?? _paired).Endpoints(solver, schedule, _seeds, cancellation) - _teacher).flatten(1).MoveToOuterDisposeScope();
    }

    /// <summary>Each latent's mean-square difference of an image value.</summary>
    /// <param name="solver">The sampler's solver.</param>
    /// <param name="schedule">The sampler's schedule.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <param name="student">Runs the sampler where it is another model than the teacher; null for the same.</param>
    public double[] PerLatent(ISolver solver, SamplingSchedule schedule, CancellationToken cancellation, PairedSampling? student = null)
    {
        using var scope = NewDisposeScope();
        return Residuals(solver, schedule, cancellation, student).to(float64).Squared().mean([1]).cpu().data<double>().ToArray();
    }

    public void Dispose() => _teacher.Dispose();
}
