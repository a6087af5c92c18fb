using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Fitting;

/// <summary>Where a fine teacher stands at every sigma of some schedules, for many latents: one path a latent serves all of them. Owns the
/// tensors.</summary>
/// <remarks>The teacher steps over Karras' schedule, whatever the schedules are. Where it passes one of their sigmas, its solver steps
/// there too from the same outputs: for a multistep solver that costs no evaluation.</remarks>
internal sealed class TeacherStates : IDisposable
{
    private readonly Dictionary<(double Sigma, int Batch), Tensor> _states = [];
    private readonly Dictionary<int, Tensor> _ends = []; // embedded
    private readonly IImageEmbedding _embedding;

    /// <summary>Runs the teacher past all sigmas of schedules that begin and end alike.</summary>
    public TeacherStates(IDenoiser denoiser, IReadOnlyList<SamplingSchedule> schedules, FitLatents latents, FitOptions options,
        IImageEmbedding embedding, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        _embedding = embedding;
        using var inference = no_grad();
        var (first, last) = (schedules[0].Sigmas[0], schedules[0].Sigmas[^1]);
        var fine = StandardSchedule.Karras().Create(options.TeacherSteps, last, first, schedules[0].Terminal);
        double[] nodes = [.. schedules.SelectMany(s => s.Sigmas).Distinct()];
        var solver = SolverCatalog.Find(options.TeacherSolver);
        using var run = new LatentRun(denoiser, solver, fine, latents, solver.HistoryLength);
        for (int i = 0; i < fine.Steps; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            double[] passed = [.. nodes.Where(s => s < fine.Sigmas[i] && s > fine.Sigmas[i + 1])];
            foreach (int b in latents.Batches)
            {
                using var scope = NewDisposeScope();
                run.Begin(b);
                foreach (double sigma in passed)
                    _states[(sigma, b)] = run.Between(b, sigma).DetachFromDisposeScope();
                if (nodes.Contains(fine.Sigmas[i + 1]))
                    _states[(fine.Sigmas[i + 1], b)] = run.BaseNext(b).clone().DetachFromDisposeScope();
            }

            run.Finish(StepCorrection.None);
            progress?.Report(new WorkProgress("teacher paths", i + 1, fine.Steps, "steps"));
        }

        foreach (int b in latents.Batches)
        {
            using var scope = NewDisposeScope();
            _ends[b] = embedding.Embed(run.End(b)).clone().DetachFromDisposeScope();
        }
    }

    public Tensor State(double sigma, int batch) => _states[(sigma, batch)];

    /// <summary>Embeds images [B,d] where distances to the teacher are measured.</summary>
    public Tensor Embed(Tensor images) => _embedding.Embed(images);

    /// <summary>The teacher's images, embedded.</summary>
    public Tensor End(int batch) => _ends[batch];

    /// <summary>Each image's mean square difference of a value from the teacher's, embedded.</summary>
    /// <param name="batches">The batches, in their order.</param>
    /// <param name="images">The images of a batch; disposed of here where nobody else owns them.</param>
    public double[] MeanSquares(IEnumerable<int> batches, Func<int, Tensor> images) => [.. batches.SelectMany(b =>
    {
        using var scope = NewDisposeScope();
        return PairedDistance.MeanSquares(Embed(images(b)) - _ends[b]);
    })];

    /// <summary>The same of a sampler's images.</summary>
    public double[] MeanSquares(
        IDenoiser denoiser, ISolver solver, SamplingSchedule schedule, FitLatents latents, IEnumerable<int> batches,
        CancellationToken cancellation)
    {
        var loop = new SamplingLoop(denoiser, solver, schedule);
        return MeanSquares(batches, b => loop.Sample(latents.Noise(b), latents.Labels(b), cancellationToken: cancellation).Samples);
    }

    public void Dispose()
    {
        foreach (var state in _states.Values.Concat(_ends.Values))
            state.Dispose();
    }
}
