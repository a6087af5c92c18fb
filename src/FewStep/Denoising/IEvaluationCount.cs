using static TorchSharp.torch;

namespace FewStep.Denoising;

/// <summary>A denoiser made of others, which counts its own network evaluations: one of its calls may take several, or different numbers for different images.</summary>
public interface IEvaluationCount : IDenoiser
{
    /// <summary>Denoises as <see cref="IDenoiser.Denoise"/> does, and says what this call cost, whoever else calls at the same time.</summary>
    /// <param name="x">Noised images [B,C,H,W].</param>
    /// <param name="sigma">Noise levels [B] or [1].</param>
    /// <param name="labels">Class indices int64 [B]; or null.</param>
    /// <param name="cost">Calls of networks, and images that they evaluated.</param>
    Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels, out EvaluationCost cost);
}

/// <summary>What a call of a denoiser cost.</summary>
/// <param name="Calls">Calls of networks.</param>
/// <param name="Images">Images that networks evaluated: the sum of their calls' batch sizes.</param>
public readonly record struct EvaluationCost(long Calls, long Images);
