using FewStep.Sampling;

namespace FewStep.Fitting;

/// <summary>The latents of a fit in batches, those that it is fitted on first and those that judge it after them; no batch holds both, nor
/// latents that a trial is fitted on and others. Owns the tensors.</summary>
internal sealed class FitLatents : IDisposable
{
    private const int LeastTried = 32;
    private readonly List<(Tensor Noise, Tensor? Labels)> _batches = [];

    /// <param name="label">Class of all latents, -1 for none; null for all classes in turn.</param>
    public FitLatents(IDenoiser denoiser, int fitted, int heldOut, int batchSize, long? label, long firstSeed)
    {
        Fitted = fitted;
        Tried = Math.Clamp(fitted / 4, Math.Min(fitted, LeastTried), fitted);
        Draw(Tried, firstSeed);
        int triedBatches = _batches.Count;
        Draw(fitted - Tried, firstSeed + Tried);
        FittedBatches = _batches.Count;
        Draw(heldOut, firstSeed + fitted);
        TrialBatches = [.. Enumerable.Range(0, triedBatches), .. HeldOutBatches];

        void Draw(int count, long first)
        {
            foreach (long[] seeds in Enumerable.Range(0, count).Select(k => first + k).Chunk(batchSize))
            {
                _batches.Add((Latents.Draw(seeds, denoiser.Shape, device: denoiser.Device),
                    SeedLabels.For(seeds, denoiser.Classes, label, denoiser.Device)));
            }
        }
    }

    public int Fitted { get; }

    /// <summary>How many of those, the first, a trial is fitted on.</summary>
    public int Tried { get; }

    public int FittedBatches { get; }

    /// <summary>The batches of a trial, which the same latents judge.</summary>
    public IReadOnlyList<int> TrialBatches { get; }

    public IEnumerable<int> Batches => Enumerable.Range(0, _batches.Count);
    public IEnumerable<int> HeldOutBatches => Batches.Skip(FittedBatches);
    public Tensor Noise(int batch) => _batches[batch].Noise;
    public Tensor? Labels(int batch) => _batches[batch].Labels;

    public void Dispose()
    {
        foreach (var (noise, labels) in _batches)
        {
            noise.Dispose();
            labels?.Dispose();
        }
    }
}
