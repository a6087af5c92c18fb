using FewStep.Checkpoints;

namespace FewStep.Metrics;

/// <summary>Reads Inception-v3's weights under either set of names and folds its batch normalisations.</summary>
internal static class InceptionWeights
{
    /// <returns>The network, which the caller owns, and which file it is.</returns>
    public static (InceptionNetwork Network, InceptionKind Kind) Read(string path)
    {
        bool script = TorchScriptFile.Is(path);
        using var tensors = script ? TorchScriptFile.Read(path) : TorchStateFile.Read(path);
        var kind = script ? InceptionKind.TorchScript : InceptionKind.PytorchFid;
        return (Build(tensors, kind, path), kind);
    }

    /// <returns>The network; the caller owns it.</returns>
    public static InceptionNetwork Build(IReadOnlyDictionary<string, Tensor> tensors, InceptionKind kind, string path)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        bool script = kind == InceptionKind.TorchScript;
        var layers = InceptionLayout.All.Select(layout => Fold(tensors, layout, script, path)).ToList();
        var head = Find(tensors, script ? "output.weight" : "fc.weight", [InceptionLayout.Classes, InceptionLayout.Features], path)
            .to(ScalarType.Float32);
        return new InceptionNetwork(layers, head.clone());
    }

    // y = gamma (w*x - mean) / sqrt(var + eps) + beta. NVIDIA's file has no gamma: it is 1 throughout the TensorFlow graph.
    private static (Tensor Weight, Tensor Bias) Fold(
        IReadOnlyDictionary<string, Tensor> tensors, InceptionConvolution layout, bool script, string path)
    {
        Tensor Of(string pytorch, string torchScript, params long[] shape) => Find(
            tensors, script ? $"{layout.ScriptName}.{torchScript}" : $"{layout.Name}.{pytorch}", shape, path).to(ScalarType.Float64);
        var weight = Of("conv.weight", "weight", layout.Shape);
        var beta = Of("bn.bias", "beta", layout.Outputs);
        var mean = Of("bn.running_mean", "mean", layout.Outputs);
        var variance = Of("bn.running_var", "var", layout.Outputs);
        if (variance.min().AsDouble() < 0)
            throw new InvalidInputException($"{path} is damaged: a variance of {layout.Name} is negative. Fetch the file again.");
        var gain = variance.Plus(InceptionLayout.Epsilon).rsqrt();
        if (!script)
            gain = gain * Of("bn.weight", "", layout.Outputs);
        return ((weight * gain.view(-1, 1, 1, 1)).to(ScalarType.Float32), (beta - (mean * gain)).to(ScalarType.Float32));
    }

    private static Tensor Find(IReadOnlyDictionary<string, Tensor> tensors, string name, long[] shape, string path)
    {
        var found = tensors.GetValueOrDefault(name);
        if (found is null || !found.is_floating_point() || !found.shape.AsSpan().SequenceEqual(shape))
        {
            string what = found is null ? "is missing"
                : $"has shape [{string.Join(',', found.shape)}], not [{string.Join(',', shape)}] of floating-point numbers";
            throw new InvalidInputException($"{path} does not hold the Inception-v3 of FID: '{name}' {what}. Give "
                + $"{string.Join(" or ", InceptionFile.Known.Select(f => f.Name))}.");
        }

        return found.isfinite().all().AsBoolean() ? found
            : throw new InvalidInputException($"{path} is damaged: '{name}' holds values that are not finite. Fetch the file again.");
    }
}
