namespace FewStep.Networks;

/// <summary>Embeds a noise label as cosines and sines.</summary>
internal abstract class NoiseEmbedding
{
    /// <summary>noise labels [B] → [B, channels], float32: cosines first, then sines, unless the other way round.</summary>
    public Tensor Forward(Tensor noiseLabels, bool sinesFirst = false)
    {
        var angles = outer(noiseLabels.to(ScalarType.Float32), Frequencies(noiseLabels.device));
        return cat(sinesFirst ? [angles.sin(), angles.cos()] : [angles.cos(), angles.sin()], 1);
    }

    /// <summary>Factors of the noise label [channels / 2], float32; they belong to the current dispose scope.</summary>
    public abstract Tensor Frequencies(Device device);
}

/// <summary>DDPM's positional embedding with frequencies 10000^(-k/K).</summary>
internal sealed class PositionalEmbedding(int channels, bool endpoint) : NoiseEmbedding
{
    public override Tensor Frequencies(Device device)
    {
        int half = channels / 2;
        using var count = TensorArithmetic.Number(half);
        var exponents = arange(TensorArithmetic.Zero, count, TensorArithmetic.One, dtype: ScalarType.Float32, device: device)
            .Over(half - (endpoint ? 1 : 0));
        return pow(1.0 / 10000, exponents);
    }
}

/// <summary>NCSN++'s random Fourier embedding; its frequencies are the buffer <c>freqs</c> [channels / 2].</summary>
internal sealed class FourierEmbedding : NoiseEmbedding
{
    private readonly Dictionary<string, Tensor> _buffers;
    private readonly string _frequencies;

    public FourierEmbedding(NetworkBuilder builder, int channels, double scale = 16)
    {
        _buffers = builder.Buffers;
        using var generator = new Generator(0);
        _frequencies = builder.Buffer("freqs", randn([channels / 2], generator: generator).Times_(scale));
    }

    public override Tensor Frequencies(Device device) => _buffers[_frequencies].Times(2 * Math.PI);
}
