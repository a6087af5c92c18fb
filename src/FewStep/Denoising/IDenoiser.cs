namespace FewStep.Denoising;

/// <summary>A denoiser: the estimate of E[x0 | x] at a noise level sigma (EDM's time; x = x0 + sigma n with unit noise n).</summary>
public interface IDenoiser
{
    /// <summary>Shape of the images.</summary>
    ImageShape Shape { get; }

    /// <summary>Number of classes; 0 for an unconditional model, which ignores labels.</summary>
    int Classes { get; }

    /// <summary>Smallest noise level that the model was made for, above 0.</summary>
    double SigmaMin { get; }

    /// <summary>Largest noise level that the model was made for.</summary>
    double SigmaMax { get; }

    /// <summary>Where it computes, and where what it is given must lie; the processor unless it says otherwise. A denoiser around another
    /// one has the other's.</summary>
    Device Device => CPU;

    /// <summary>Denoises a batch: one network evaluation an image.</summary>
    /// <param name="x">Noised images [B,C,H,W], float32 or float64; not changed and not disposed.</param>
    /// <param name="sigma">Noise levels [B], or [1] for the whole batch, of the type of <paramref name="x"/>, above 0.</param>
    /// <param name="labels">Class indices int64 [B], -1 for "no class"; null stands for -1 everywhere.</param>
    /// <returns>D(x; sigma) [B,C,H,W] of the type of <paramref name="x"/>; the caller owns it.</returns>
    Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels);
}

/// <summary>A batch at one noise level.</summary>
internal static class OneNoiseLevel
{
    /// <summary><see cref="IDenoiser.Denoise"/> of a number; by another name, since TorchSharp makes a tensor of any number.</summary>
    public static Tensor DenoiseAt(this IDenoiser denoiser, Tensor x, double sigma, Tensor? labels)
    {
        using var level = TensorArithmetic.Full([1], sigma, x.dtype, x.device);
        return denoiser.Denoise(x, level, labels);
    }
}
