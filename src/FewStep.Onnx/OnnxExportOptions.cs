namespace FewStep.Onnx;

/// <summary>How a model or a sampler is written as ONNX.</summary>
public sealed record OnnxExportOptions
{
    /// <summary>Whether matrices and kernels are stored in float16 and cast to float32 where the graph begins: half the file, and
    /// arithmetic in float32 as before. Default false.</summary>
    public bool HalfWeights { get; init; }

    /// <summary>The weights' licence, which the file then says, e.g. <c>CC-BY-NC-SA-4.0</c>; default nothing.</summary>
    public string License { get; init; } = "";
}
