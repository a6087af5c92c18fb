namespace FewStep.Networks;

/// <summary>The autoencoder of latent diffusion (Rombach et al. 2112.10752) as a function of its weights, as diffusers'
/// <c>AutoencoderKL</c> computes it and with its names.</summary>
internal sealed class AutoencoderKl : IDisposable
{
    private const double Epsilon = 1e-6;

    // Of the logarithm of the variance.
    private const long SmallestLogarithm = -30, LargestLogarithm = 20;

    private readonly AutoencoderKlOptions _options;
    private readonly NetworkBuilder _builder = new();

    public AutoencoderKl(AutoencoderKlOptions options)
    {
        _options = options.Checked();
        int latent = options.LatentChannels;
        Encoder = Coder(_builder.At("encoder"), down: true, options.InChannels, 2 * latent);
        Decoder = Coder(_builder.At("decoder"), down: false, latent, options.OutChannels);
        QuantConvolution = options.QuantConvolution ? Pointwise("quant_conv", 2 * latent) : null;
        PostQuantConvolution = options.PostQuantConvolution ? Pointwise("post_quant_conv", latent) : null;
    }

    public ParameterLayout Layout => _builder.Layout;

    /// <summary>Untrained tensors, which no file holds; owned here.</summary>
    public IReadOnlyDictionary<string, Tensor> Buffers => _builder.Buffers;

    public LatentCoder Encoder { get; }
    public LatentCoder Decoder { get; }
    public Conv2d? QuantConvolution { get; }
    public Conv2d? PostQuantConvolution { get; }

    /// <summary>Images [B,3,H,W] → mean and logarithm of the variance of their latents [B,C,H/f,W/f], unscaled.</summary>
    public (Tensor Mean, Tensor LogVariance) Encode(ForwardPass pass, Tensor images)
    {
        var moments = Encoder.Forward(pass, images);
        var halves = (QuantConvolution is null ? moments : QuantConvolution.Forward(pass, moments)).chunk(2, 1);
        return (halves[0], halves[1].Clamp(SmallestLogarithm, LargestLogarithm));
    }

    /// <summary>Latents [B,C,H,W], unscaled → images [B,3,f H,f W].</summary>
    public Tensor Decode(ForwardPass pass, Tensor latents)
        => Decoder.Forward(pass, PostQuantConvolution is null ? latents : PostQuantConvolution.Forward(pass, latents));

    /// <summary>Moves the buffers to the device that the weights lie on.</summary>
    public void MoveBuffers(Device device) => _builder.MoveBuffers(device);

    public void Dispose()
    {
        foreach (var buffer in Buffers.Values)
            buffer.Dispose();
    }

    private Conv2d Pointwise(string name, int channels) => new(_builder.At(name), channels, channels, 1, LatentCoder.Init);

    private LatentCoder Coder(NetworkBuilder at, bool down, int inChannels, int outChannels)
    {
        int[] levels = down ? [.. _options.BlockChannels] : [.. _options.BlockChannels.Reverse()];
        int current = levels[0], middle = _options.BlockChannels[^1], last = levels.Length - 1;
        var input = new Conv2d(at.At("conv_in"), inChannels, current, 3, LatentCoder.Init);
        var stages = new List<UNetStage>();
        for (int level = 0; level <= last; level++)
        {
            var place = at.At(down ? "down_blocks" : "up_blocks").At($"{level}");
            var blocks = new List<ResnetBlock>();
            for (int i = 0; i < _options.NumBlocks + (down ? 0 : 1); i++)
            {
                blocks.Add(Block(place, i, current, levels[level]));
                current = levels[level];
            }

            bool changes = level < last;
            stages.Add(new UNetStage(blocks, [])
            {
                Down = down && changes
                    ? new StridedConv2d(place.At("downsamplers").At("0").At("conv"), current, LatentCoder.Init, symmetricPadding: false)
                    : null,
                Up = !down && changes
                    ? new Conv2d(place.At("upsamplers").At("0").At("conv"), current, current, 3, LatentCoder.Init, up: true) : null,
            });
        }

        var mid = at.At("mid_block");
        ResnetBlock first = Block(mid, 0, middle, middle), second = Block(mid, 1, middle, middle);
        var attention = _options.MiddleAttends ? new PixelAttention(
            mid.At("attentions").At("0"), middle, _options.NormGroups, Epsilon) : null;
        var norm = new GroupNorm(at.At("conv_norm_out"), current, Epsilon, _options.NormGroups);
        return new LatentCoder(input, stages, new(first, attention, second), norm,
            new Conv2d(at.At("conv_out"), current, outChannels, 3, LatentCoder.Init), MiddleIsFirst: !down);
    }

    private ResnetBlock Block(NetworkBuilder at, int index, int inChannels, int outChannels)
        => new(at.At("resnets").At($"{index}"), inChannels, outChannels, embeddingChannels: null, _options.NormGroups, Epsilon);
}

/// <summary>An encoder, whose middle comes last, or a decoder, whose middle comes first.</summary>
internal sealed record LatentCoder(
    Conv2d Input, IReadOnlyList<UNetStage> Stages, LatentCoderMiddle Middle, GroupNorm Norm, Conv2d Output, bool MiddleIsFirst)
{
    public static WeightInit Init { get; } = new(WeightInitMode.XavierUniform);

    public Tensor Forward(ForwardPass pass, Tensor x)
    {
        using var scope = NewDisposeScope();
        x = Input.Forward(pass, x);
        x = MiddleIsFirst ? Middle.Forward(pass, x) : x;
        foreach (var stage in Stages)
            x = Forward(pass, stage, x);
        x = MiddleIsFirst ? x : Middle.Forward(pass, x);
        return Output.Forward(pass, Norm.ForwardSilu(pass, x)).MoveToOuterDisposeScope();
    }

    // The finest maps are large: only the last is kept.
    private static Tensor Forward(ForwardPass pass, UNetStage stage, Tensor x)
    {
        using var scope = NewDisposeScope();
        for (int i = 0; i < stage.Blocks.Count; i++)
        {
            using var before = x;
            x = stage.Forward(pass, i, x, null, null);
        }

        return (stage.Down?.Forward(pass, x) ?? stage.Up?.Forward(pass, x) ?? x).MoveToOuterDisposeScope();
    }
}

/// <summary>The middle of an encoder or a decoder.</summary>
internal sealed record LatentCoderMiddle(ResnetBlock First, PixelAttention? Attention, ResnetBlock Second)
{
    public Tensor Forward(ForwardPass pass, Tensor x)
    {
        x = First.Forward(pass, x);
        return Second.Forward(pass, Attention is null ? x : Attention.Forward(pass, x));
    }
}

/// <summary>Attention of all pixels to each other with one head, after a normalisation and added.</summary>
internal sealed class PixelAttention
{
    public PixelAttention(NetworkBuilder builder, int channels, int groups, double epsilon)
    {
        Norm = new GroupNorm(builder.At("group_norm"), channels, epsilon, groups);
        Attention = new CrossAttention(builder, channels, channels, heads: 1, bias: true);
    }

    public GroupNorm Norm { get; }
    public CrossAttention Attention { get; }

    /// <summary>x [B,C,H,W] → the same shape.</summary>
    public Tensor Forward(ForwardPass pass, Tensor x)
    {
        using var scope = NewDisposeScope();
        var tokens = Tokens.OfMap(Norm.Forward(pass, x));
        var attended = Attention.Forward(pass, tokens, tokens);
        return x.Plus(Tokens.Map(attended, x.shape[2], x.shape[3])).MoveToOuterDisposeScope();
    }
}
