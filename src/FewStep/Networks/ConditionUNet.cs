namespace FewStep.Networks;

/// <summary>The U-Net of Stable Diffusion (Rombach et al. 2112.10752), its version XL (2307.01952) and latent consistency models, as
/// diffusers' <c>UNet2DConditionModel</c> computes it and with its names: residual blocks with transformers that attend to a text
/// embedding.</summary>
internal sealed class ConditionUNet : Network
{
    public ConditionUNet(ConditionUNetOptions options)
    {
        Options = options.Checked();
        var channels = options.BlockChannels;
        int last = channels.Count - 1;
        var init = new WeightInit(WeightInitMode.XavierUniform);
        Input = new Conv2d(Builder.At("conv_in"), options.InChannels, channels[0], 3, init);
        Embedding = new ConditionEmbedding(Builder, options);

        var skips = new Stack<int>([channels[0]]);
        var down = new List<UNetStage>();
        int current = channels[0];
        for (int level = 0; level <= last; level++)
        {
            var at = Builder.At("down_blocks").At($"{level}");
            var blocks = new List<ResnetBlock>();
            for (int i = 0; i < options.NumBlocks; i++)
            {
                blocks.Add(Block(at, i, current, channels[level]));
                skips.Push(current = channels[level]);
            }

            var transformers = Transformers(at, level, options.DownTransformers[level], blocks.Count);
            bool halves = level < last;
            down.Add(new UNetStage(blocks, transformers)
            {
                Down = halves ? new StridedConv2d(Sampler(at, "downsamplers"), current, init, options.SymmetricPadding) : null,
            });
            if (halves)
                skips.Push(current);
        }

        Down = down;
        if (options.MiddleTransformer is { } depth)
        {
            var at = Builder.At("mid_block");
            Middle = new UNetStage(
                [Block(at, 0, current, current), Block(at, 1, current, current)], Transformers(at, last, depth, 1));
        }

        var up = new List<UNetStage>();
        for (int level = last; level >= 0; level--)
        {
            var at = Builder.At("up_blocks").At($"{last - level}");
            var blocks = new List<ResnetBlock>();
            for (int i = 0; i <= options.NumBlocks; i++)
            {
                blocks.Add(Block(at, i, current + skips.Pop(), channels[level]));
                current = channels[level];
            }

            var transformers = Transformers(at, level, options.UpTransformers[level], blocks.Count);
            up.Add(new UNetStage(blocks, transformers)
            {
                Up = level > 0 ? new Conv2d(Sampler(at, "upsamplers"), current, current, 3, init, up: true) : null,
            });
        }

        Up = up;
        Norm = new GroupNorm(Builder.At("conv_norm_out"), current, options.NormEpsilon, options.NormGroups);
        Output = new Conv2d(Builder.At("conv_out"), current, options.OutChannels, 3, init);
    }

    public ConditionUNetOptions Options { get; }
    public override double Dropout => 0;
    public override bool RecomputesBlocks => true;

    /// <summary>Whether it is told a pooled text embedding and the sizes of the image, as Stable Diffusion XL is.</summary>
    public bool IsToldSizes => Options.SizeChannels is not null;

    public Conv2d Input { get; }
    public ConditionEmbedding Embedding { get; }

    /// <summary>From the finest level on.</summary>
    public IReadOnlyList<UNetStage> Down { get; }

    /// <summary>Two blocks and the transformer between them; null for none.</summary>
    public UNetStage? Middle { get; }

    /// <summary>From the coarsest level on.</summary>
    public IReadOnlyList<UNetStage> Up { get; }

    public GroupNorm Norm { get; }
    public Conv2d Output { get; }

    /// <inheritdoc/>
    /// <param name="noiseLabels">Times [B], which may lie between whole ones.</param>
    /// <param name="condition">The text embedding, and what the options name beside it.</param>
    public override Tensor Forward(ForwardPass pass, Tensor x, Tensor noiseLabels, NetworkCondition? condition)
    {
        var context = Context(condition, x);
        var embedding = Embedding.Forward(pass, noiseLabels, condition!);
        x = Input.Forward(pass, x);
        var skips = new Stack<Tensor>([x]);
        for (int level = 0; level < Down.Count; level++)
        {
            var stage = Down[level];
            for (int i = 0; i < stage.Blocks.Count; i++)
                skips.Push(x = stage.Forward(pass, i, x, embedding, context));
            if (pass.Encoded is not null)
                pass.Encoded[level] = x;
            if (stage.Down is not null)
                skips.Push(x = stage.Down.Forward(pass, x));
        }

        if (Middle is not null)
        {
            x = Middle.Forward(pass, 0, x, embedding, context);
            x = Middle.Blocks[1].Forward(pass, x, embedding);
        }

        if (pass.Encoded is not null)
        {
            pass.Encoded[int.MaxValue] = x;
            return x;
        }

        foreach (var stage in Up)
        {
            for (int i = 0; i < stage.Blocks.Count; i++)
                x = stage.Forward(pass, i, cat([x, skips.Pop()], 1), embedding, context);
            x = stage.Up is null ? x : stage.Up.Forward(pass, x);
        }

        return Output.Forward(pass, Norm.ForwardSilu(pass, x));
    }

    private Tensor Context(NetworkCondition? condition, Tensor x)
    {
        var context = condition?.Context ?? throw new InvalidInputException(
            "The network is conditioned on text, and no text embedding was given. Give a prompt, which may be empty.");
        return context.dim() == 3 && context.shape[0] == x.shape[0] && context.shape[2] == Options.ContextChannels
            ? context.to(x.dtype)
            : throw new InvalidInputException($"A text embedding has shape [{string.Join(',', context.shape)}]; the network takes "
                + $"[{x.shape[0]},length,{Options.ContextChannels}]. Take the text encoder that belongs to it.");
    }

    private static NetworkBuilder Sampler(NetworkBuilder at, string name)
        => at.At(name).At("0").At("conv").Adapted(LoraLayers.Convolutions);

    private ResnetBlock Block(NetworkBuilder at, int index, int inChannels, int outChannels)
        => new(at.At("resnets").At($"{index}"), inChannels, outChannels, Embedding.Channels, Options.NormGroups, Options.NormEpsilon);

    private List<SpatialTransformer> Transformers(NetworkBuilder at, int level, int depth, int count)
        => [.. Enumerable.Range(0, depth == 0 ? 0 : count).Select(i => new SpatialTransformer(at.At("attentions").At($"{i}"),
            Options.BlockChannels[level], Options.ContextChannels, Options.Heads[level], depth, Options.NormGroups,
            convolutions: !Options.LinearProjections))];
}
