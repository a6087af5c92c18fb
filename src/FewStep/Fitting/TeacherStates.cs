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
    private const string EndName = "end";
    private readonly IImageEmbedding _embedding;

    /// <summary>Begins without any states.</summary>
    public TeacherStates(IImageEmbedding embedding) => _embedding = embedding;

    /// <summary>Runs the teacher past all sigmas of schedules that begin and end alike.</summary>
    /// <param name="batches">The batches of latents that it runs from; null (default) for all.</param>
    public TeacherStates(IDenoiser denoiser, IReadOnlyList<SamplingSchedule> schedules, FitLatents latents, FitOptions options,
        IImageEmbedding embedding, IProgress<WorkProgress>? progress, CancellationToken cancellation, IReadOnlyList<int>? batches = null)
        : this(embedding)
    {
        batches ??= [.. latents.Batches];
        using var inference = no_grad();
        var (first, last) = (schedules[0].Sigmas[0], schedules[0].Sigmas[^1]);
        var fine = StandardSchedule.Karras().Create(options.TeacherSteps, last, first, schedules[0].Terminal);
        double[] nodes = [.. schedules.SelectMany(s => s.Sigmas).Distinct()];
        var solver = SolverCatalog.Find(options.TeacherSolver);
        using var run = new LatentRun(denoiser, solver, fine, latents, solver.HistoryLength, batches);
        for (int i = 0; i < fine.Steps; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            double[] passed = [.. nodes.Where(s => s < fine.Sigmas[i] && s > fine.Sigmas[i + 1])];
            foreach (int b in batches)
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

        foreach (int b in batches)
        {
            using var scope = NewDisposeScope();
            _ends[b] = embedding.Embed(run.End(b)).clone().DetachFromDisposeScope();
        }
    }

    /// <summary>What there is of a batch, by name: its state at each sigma, and its images; stay here.</summary>
    public Dictionary<string, Tensor> Batch(int batch)
    {
        var all = _states.Where(s => s.Key.Batch == batch).ToDictionary(s => Name(s.Key.Sigma), s => s.Value);
        all[EndName] = _ends[batch];
        return all;
    }

    /// <summary>Takes a batch that was made elsewhere; its tensors are copied.</summary>
    /// <param name="schedules">Those whose sigmas it must have, but for the first, where the latents are.</param>
    /// <param name="shape">The latents' shape [B,C,H,W].</param>
    /// <returns>Whether it has them all.</returns>
    public bool TryTake(
        int batch, IReadOnlyDictionary<string, Tensor> tensors, IEnumerable<SamplingSchedule> schedules, long[] shape, Device device)
    {
        foreach (double sigma in schedules.SelectMany(s => s.Sigmas.Skip(1)).Distinct())
        {
            if (!tensors.TryGetValue(Name(sigma), out var state) || !state.shape.AsSpan().SequenceEqual(shape))
                return false;
            _states[(sigma, batch)] = HostCopy.To(state, device).clone().DetachFromDisposeScope();
        }

        if (!tensors.TryGetValue(EndName, out var end) || end.dim() < 1 || end.shape[0] != shape[0])
            return false;
        _ends[batch] = HostCopy.To(end, device).clone().DetachFromDisposeScope();
        return true;
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

    private static string Name(double sigma) => sigma.ToString("R", CultureInfo.InvariantCulture);

    public void Dispose()
    {
        foreach (var state in _states.Values.Concat(_ends.Values))
            state.Dispose();
    }
}
