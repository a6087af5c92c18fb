namespace FewStep.Denoising;

/// <summary>A denoiser made of others, which counts its own network evaluations: one of its calls may take several, or different numbers for different images.</summary>
public interface IEvaluationCount
{
    /// <summary>Calls of networks so far.</summary>
    long Calls { get; }

    /// <summary>Images that networks evaluated so far: the sum of their calls' batch sizes.</summary>
    long Images { get; }
}
