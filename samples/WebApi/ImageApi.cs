using System.Globalization;
using FewStep.Deploy;
using FewStep.Deploy.Serving;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.AI;

namespace WebApi;

/// <summary>A web application that makes images with a few-step sampler. Metrics and traces are under the names of
/// <see cref="SamplerTelemetry"/>, e.g. for <c>dotnet-counters monitor -n WebApi --counters FewStep.Deploy</c>.</summary>
public static class ImageApi
{
    private const int LongestRequest = 1 << 16;
    private const int ClientClosedRequest = 499; // no standard code; nobody reads it but the log

    /// <summary>Creates the application; the caller runs and disposes of it.</summary>
    /// <param name="args">Configuration, e.g. <c>--FewStep:SamplerPath=my.onnx --urls=http://127.0.0.1:5000</c>.</param>
    public static WebApplication Create(string[] args)
    {
        var builder = WebApplication.CreateBuilder(args);
        builder.Services.AddFewStep(options => builder.Configuration.GetSection("FewStep").Bind(options));
        builder.Services.AddSingleton<IImageGenerator, FewStepImageGenerator>();
        builder.Services.AddProblemDetails();
        builder.Services.AddHealthChecks().AddCheck<QueueHealth>("queue");

        var app = builder.Build();
        app.Services.GetRequiredService<QueuedSampler>(); // a missing file stops the start, not the first request
        app.MapHealthChecks("/health");
        app.MapGet("/sampler", (FewStepSampler sampler) => sampler.Description);
        var images = app.MapGroup("").AddEndpointFilter(AnswerFailures).WithMetadata(new RequestSizeLimitAttribute(LongestRequest));
        images.MapGet("/images/{seed:long}.png", GetImage);
        images.MapPost("/images", PostImages);
        images.MapPost("/generate", Generate);
        return app;
    }

    private static async Task<IResult> GetImage(long seed, long? label, QueuedSampler queue, CancellationToken cancellation)
    {
        var images = await queue.GenerateAsync([seed], label is { } one ? [one] : null, cancellation);
        return Results.Bytes(images.GetPng(0), "image/png");
    }

    private static async Task<ImageResponse> PostImages(ImageRequest request, QueuedSampler queue, CancellationToken cancellation)
    {
        var images = await queue.GenerateAsync(request.Seeds ?? [], request.Labels, cancellation);
        return new ImageResponse([.. Enumerable.Range(0, images.Count).Select(images.GetPng)]);
    }

    private static async Task<ImageResponse> Generate(PromptRequest request, IImageGenerator generator, CancellationToken cancellation)
    {
        var options = new ImageGenerationOptions
        {
            Count = request.Count,
            AdditionalProperties = new() { [FewStepImageGenerator.Seed] = request.Seed },
        };
        var response = await generator.GenerateAsync(new ImageGenerationRequest(request.Prompt), options, cancellation);
        return new ImageResponse([.. response.Contents.OfType<DataContent>().Select(c => c.Data.ToArray())]);
    }

    private static async ValueTask<object?> AnswerFailures(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (QueueFullException e)
        {
            context.HttpContext.Response.Headers.RetryAfter =
                Math.Ceiling(e.RetryAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            return Results.Problem(e.Message, statusCode: StatusCodes.Status503ServiceUnavailable);
        }
        catch (ArgumentException e)
        {
            return Results.Problem(e.Message, statusCode: StatusCodes.Status400BadRequest);
        }
        catch (OperationCanceledException) when (context.HttpContext.RequestAborted.IsCancellationRequested)
        {
            return Results.StatusCode(ClientClosedRequest);
        }
    }
}
