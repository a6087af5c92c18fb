using static TorchSharp.torch;

namespace FewStep.Denoising;

/// <summary>Passes every call to another denoiser and counts it, so that network evaluations are measured and never derived.</summary>
/// <remarks>A denoiser that counts its own evaluations (<see cref="IEvaluationCount"/>: guidance) costs what it says, every other one evaluation an image.</remarks>
/// <param name="inner">The denoiser that does the work; not disposed here.</param>
public sealed class CountingDenoiser(IDenoiser inner) : IDenoiser, IEvaluationCount
{
    private long _calls;
    private long _images;

    /// <summary>Calls so far: the number of function evaluations (NFE) where every call holds the whole batch.</summary>
    public long Calls => Interlocked.Read(ref _calls);

    /// <summary>Images evaluated so far: the sum of the calls' batch sizes.</summary>
    public long Images => Interlocked.Read(ref _images);

    /// <inheritdoc/>
    public ImageShape Shape => inner.Shape;

    /// <inheritdoc/>
    public Device Device => inner.Device;

    /// <inheritdoc/>
    public int Classes => inner.Classes;

    /// <inheritdoc/>
    public double SigmaMin => inner.SigmaMin;

    /// <inheritdoc/>
    public double SigmaMax => inner.SigmaMax;

    /// <inheritdoc/>
    public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels)
    {
        var own = inner as IEvaluationCount;
        var (calls, images) = (own?.Calls ?? 0, own?.Images ?? 0);
        var denoised = inner.Denoise(x, sigma, labels);
        Interlocked.Add(ref _calls, own is null ? 1 : own.Calls - calls);
        Interlocked.Add(ref _images, own is null ? x.shape[0] : own.Images - images);
        return denoised;
    }
}

/// <summary>A denoiser made of others, which counts its own network evaluations: one of its calls may take several, or different numbers for different images.</summary>
public interface IEvaluationCount
{
    /// <summary>Calls of networks so far.</summary>
    long Calls { get; }

    /// <summary>Images that networks evaluated so far: the sum of their calls' batch sizes.</summary>
    long Images { get; }
}
