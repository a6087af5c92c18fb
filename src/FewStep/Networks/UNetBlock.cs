using TorchSharp;

namespace FewStep.Networks;

/// <summary>What all blocks of one U-Net share; the defaults are the ADM architecture's.</summary>
internal sealed record UNetBlockOptions
{
    public required int EmbeddingChannels { get; init; }
    public double Dropout { get; init; }
    public double SkipScale { get; init; } = 1;
    public double Epsilon { get; init; } = 1e-5;

    /// <summary>Groups of every normalisation; null for NVlabs/edm's rule.</summary>
    public int? NormGroups { get; init; }

    /// <summary>Groups of the normalisation before the middle's attention, 0 for none; null is as everywhere.</summary>
    public int? MiddleAttentionGroups { get; init; }

    public IReadOnlyList<int> ResampleFilter { get; init; } = [1, 1];

    /// <summary>Whether a resampling skip connection also convolves when the channel count stays.</summary>
    public bool ResampleProjection { get; init; }

    /// <summary>Embedding as scale and shift after the second norm, instead of a sum before it.</summary>
    public bool AdaptiveScale { get; init; } = true;

    public required WeightInit Init { get; init; }
    public required WeightInit InitZero { get; init; }
    public WeightInit? InitAttention { get; init; }
}

/// <summary>Residual block with optional resampling and self-attention: NVlabs/edm's <c>UNetBlock</c>, for both DDPM++/NCSN++ and
/// ADM.</summary>
internal sealed class UNetBlock : IUNetLayer
{
    private const int PixelsOfPlainAttention = 256;

    public UNetBlock(NetworkBuilder builder, UNetLayer place, UNetBlockOptions options)
    {
        int inChannels = place.InChannels, outChannels = place.OutChannels;
        bool up = place.Role == UNetRole.Up, down = place.Role == UNetRole.Down;
        (Options, Heads) = (options, place.Heads);
        Norm0 = new GroupNorm(builder.At("norm0"), inChannels, options.Epsilon, options.NormGroups);
        Conv0 = new Conv2d(builder.At("conv0"), inChannels, outChannels, 3, options.Init, up, down, options.ResampleFilter);
        Affine = new Linear(builder.At("affine"), options.EmbeddingChannels, outChannels * (options.AdaptiveScale ? 2 : 1), options.Init);
        Norm1 = new GroupNorm(builder.At("norm1"), outChannels, options.Epsilon, options.NormGroups);
        Conv1 = new Conv2d(builder.At("conv1"), outChannels, outChannels, 3, options.InitZero);
        if (outChannels != inChannels || up || down)
        {
            int kernel = options.ResampleProjection || outChannels != inChannels ? 1 : 0;
            Skip = new Conv2d(builder.At("skip"), inChannels, outChannels, kernel, options.Init, up, down, options.ResampleFilter);
        }

        if (Heads > 0)
        {
            if (outChannels % Heads != 0)
                throw new Platform.InvalidInputException($"{outChannels} channels cannot be divided among {Heads} attention heads.");
            int? groups = place.Role == UNetRole.Middle ? options.MiddleAttentionGroups ?? options.NormGroups : options.NormGroups;
            Norm2 = groups == 0 ? null : new GroupNorm(builder.At("norm2"), outChannels, options.Epsilon, groups);
            Qkv = new Conv2d(builder.At("qkv"), outChannels, outChannels * 3, 1, options.InitAttention ?? options.Init);
            Projection = new Conv2d(builder.At("proj"), outChannels, outChannels, 1, options.InitZero);
        }
    }

    public UNetBlockOptions Options { get; }

    /// <summary>Heads of attention; 0 for none.</summary>
    public int Heads { get; }

    public GroupNorm Norm0 { get; }
    public Conv2d Conv0 { get; }
    public Linear Affine { get; }
    public GroupNorm Norm1 { get; }
    public Conv2d Conv1 { get; }
    public Conv2d? Skip { get; }
    public GroupNorm? Norm2 { get; }
    public Conv2d? Qkv { get; }
    public Conv2d? Projection { get; }

    Tensor IUNetLayer.Forward(ForwardPass pass, Tensor x, UNetState state) => Forward(pass, x, state.Embedding);

    /// <summary>x [B,in,H,W], embedding [B,E] float32 → [B,out,H',W'].</summary>
    public Tensor Forward(ForwardPass pass, Tensor x, Tensor embedding)
    {
        var input = x;
        x = Conv0.Forward(pass, Norm0.ForwardSilu(pass, x));
        var modulation = Affine.Forward(pass, embedding);
        if (Options.AdaptiveScale)
        {
            var halves = modulation.to(x.dtype).unsqueeze(2).unsqueeze(3).chunk(2, 1);
            x = nn.functional.silu(addcmul(halves[1], Norm1.Forward(pass, x), halves[0].Plus(1), TensorArithmetic.One));
        }
        else
        {
            x = Norm1.ForwardSilu(pass, x, modulation);
        }

        x = Conv1.Forward(pass, pass.Dropped(x, Options.Dropout)).Plus(Skip is null ? input : Skip.Forward(pass, input));
        x = Scaled(x);
        return Heads == 0 ? x : Scaled(Attend(pass, x).Plus(x));
    }

    private Tensor Attend(ForwardPass pass, Tensor x)
    {
        long batch = x.shape[0], channels = x.shape[1], height = x.shape[2], width = x.shape[3];

        // The reference interleaves query, key and value innermost among a head's channels.
        var parts = Qkv!.Forward(pass, Norm2 is null ? x : Norm2.Forward(pass, x)).permute(0, 2, 3, 1)
            .reshape(batch, height * width, Heads, channels / Heads, 3).permute(4, 0, 2, 1, 3);

        // Contiguous parts select libtorch's memory-saving attention; for few pixels its bfloat16 derivatives take twice as long as the
        // plain formula's on the processor.
        bool plain = x.device_type == DeviceType.CPU && x.dtype == ScalarType.BFloat16 && is_grad_enabled()
            && height * width <= PixelsOfPlainAttention;
        parts = plain ? parts : parts.contiguous();
        var attended = pass.Counted(nn.functional.scaled_dot_product_attention(parts[0], parts[1], parts[2]), 2 * height * width);
        return Projection!.Forward(pass, attended.transpose(1, 2).reshape(batch, height, width, channels).permute(0, 3, 1, 2));
    }

    private Tensor Scaled(Tensor x) => Options.SkipScale == 1 ? x : x.Times(Options.SkipScale);
}
