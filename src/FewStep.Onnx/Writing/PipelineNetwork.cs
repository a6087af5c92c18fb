using FewStep.Networks;

namespace FewStep.Onnx.Writing;

/// <summary>A network of a pipeline that becomes a file of its own: what it takes and gives, and what it is tried with.</summary>
/// <remarks>Names of inputs, outputs and sizes are optimum's, which computes the sizes of outputs from those of inputs.</remarks>
/// <param name="folder">Folder of the file in the pipeline.</param>
/// <param name="weights">Flat float32 weights in the layout.</param>
internal abstract class PipelineNetwork(string folder, ParameterLayout layout, Tensor weights)
{
    protected const string Batch = "batch_size", Steps = "steps", Length = "sequence_length", Height = "height", Width = "width";

    /// <summary>Images of a trial, and tokens of a text in one.</summary>
    protected const int Tried = 2, TriedTokens = 9;

    private const int LargestSide = 32;

    public string Folder => folder;
    public ParameterLayout Layout => layout;
    public Tensor Weights => weights;

    /// <summary>Values that the network is tried with, by the names of its inputs; they belong to the current dispose scope.</summary>
    public abstract IReadOnlyList<(string Name, Tensor Value)> Trial();

    /// <summary>Writes inputs, nodes and outputs.</summary>
    public abstract void Write(OnnxGraph graph);

    /// <summary>What the network itself gives in a trial, by the names of its outputs.</summary>
    /// <param name="given">The values of <see cref="Trial"/>.</param>
    public abstract IReadOnlyList<(string Name, Tensor Value)> Evaluate(ForwardPass pass, IReadOnlyDictionary<string, Tensor> given);

    /// <summary>Unit noise, the same each time.</summary>
    protected static Tensor Noise(int seed, params long[] shape)
    {
        using var generator = new Generator((ulong)seed);
        return randn(shape, generator: generator);
    }

    protected static Tensor Numbers(params float[] values) => tensor(values);

    /// <summary>Token ids below a number, int64.</summary>
    protected static Tensor Ids(int vocabulary)
    {
        using var generator = new Generator(0);
        return randint(0, vocabulary, [Tried, TriedTokens], dtype: ScalarType.Int64, generator: generator);
    }

    /// <summary>A side for trials: the largest multiple that is no larger than the network's own side and <see cref="LargestSide"/>, where
    /// there is one.</summary>
    protected static long Side(long own, long multiple) => Math.Max(Math.Min(own, LargestSide) / multiple, 1) * multiple;
}
