using FewStep.Reporting.Html;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace FewStep.Studio;

/// <summary>Requests of the page, each a call of the workshop. Answers are JSON; what is refused is told in one line.</summary>
internal sealed class StudioApi(RequestGate gate, Workshop workshop)
{
    private const string Json = "application/json; charset=utf-8", Area = "api/";

    public async Task Answer(HttpContext context)
    {
        if (gate.Admit(context) is not { } path)
        {
            await Text(context, "Open the address that the program printed: this one is not it.");
            return;
        }

        var left = context.RequestAborted;
        try
        {
            if (path.StartsWith(Area, StringComparison.Ordinal))
                await Call(context, path[Area.Length..], left);
            else
                await Page(context, path, left);
        }
        catch (OperationCanceledException) when (left.IsCancellationRequested)
        {
            // Nobody waits for an answer.
        }
        catch (OperationCanceledException)
        {
            // A newer request took its place, which is no failure that a browser should report.
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        catch (BadHttpRequestException e)
        {
            await Refuse(context, e.StatusCode, "The request is too large, or no request at all.");
        }
        catch (JsonException e)
        {
            await Refuse(context, StatusCodes.Status400BadRequest, $"The request is not valid: {JsonProblem.Describe(e)}.");
        }
        catch (InvalidInputException e)
        {
            await Refuse(context, StatusCodes.Status400BadRequest, Failure.Text(e));
        }
#pragma warning disable CA1031 // whatever it is, the page is told in one line
        catch (Exception e)
#pragma warning restore CA1031
        {
            await Refuse(context, StatusCodes.Status500InternalServerError, Failure.Text(e));
        }
    }

    private async Task Call(HttpContext context, string call, CancellationToken left)
    {
        switch (context.Request.Method, call)
        {
            case ("GET", "studio"):
                await Give(context, workshop.About());
                break;
            case ("POST", "model"):
                var asked = await Read<SamplerRequest>(context);
                await Give(context, await Task.Run(() => workshop.Describe(asked), left));
                break;
            case ("POST", "sampler"):
                var wanted = await Read<SampleRequest>(context);
                await Give(context, await Task.Run(() => workshop.Sampler(wanted), left));
                break;
            case ("POST", "sample"):
                await Give(context, await workshop.Sample(await Read<SampleRequest>(context), left));
                break;
            case ("POST", "teacher"):
                await Give(context, await workshop.TeachersImages(await Read<SampleRequest>(context), left));
                break;
            case ("POST", "hide"):
                workshop.Hide((await Read<SampleRequest>(context)).Side);
                await Give(context, new { });
                break;
            case ("GET", "jobs"):
                await Give(context, workshop.Jobs.All);
                break;
            case ("POST", "jobs"):
                var job = await Read<JobRequest>(context);
                await Give(context, await Task.Run(() => workshop.Start(job), left));
                break;
            case ("POST", "cancel"):
                workshop.Jobs.Cancel((await Read<CancelRequest>(context)).Id);
                await Give(context, new { });
                break;
            case ("GET", "events"):
                await Tell(context, left);
                break;
            case ("POST", "copy"):
                var copied = await Read<CopyRequest>(context);
                await Give(context, await Task.Run(() => workshop.Copy(copied), left));
                break;
            case ("POST", "save"):
                var saved = await Read<CopyRequest>(context);
                await Give(context, await Task.Run(() => workshop.Save(saved), left));
                break;
            case ("GET", "runs"):
                await Give(context, await Task.Run(workshop.Runs, left));
                break;
            case ("GET", "report"):
                string[] runs = [.. context.Request.Query["run"].OfType<string>()];
                string report = await Task.Run(() => workshop.Report(runs), left);
                // Its one script and its style are inside, and it fetches nothing.
                context.Response.Headers.ContentSecurityPolicy = $"{HtmlDocument.Policy}; base-uri 'none'; form-action 'none'; "
                    + "frame-ancestors 'none'";
                context.Response.ContentType = "text/html; charset=utf-8";
                await context.Response.WriteAsync(report, left);
                break;
            default:
                await Refuse(context, StatusCodes.Status404NotFound, "The studio knows no such request.");
                break;
        }
    }

    private static async Task Page(HttpContext context, string path, CancellationToken left)
    {
        if (!HttpMethods.IsGet(context.Request.Method) || PageFiles.Find(path) is not var (type, content))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            await Text(context, "There is no such page.");
            return;
        }

        context.Response.ContentType = type;
        context.Response.ContentLength = content.Length;
        await context.Response.Body.WriteAsync(content, left);
    }

    // Server-sent events: one a change of a job.
    private async Task Tell(HttpContext context, CancellationToken left)
    {
        context.Response.ContentType = "text/event-stream";
        context.Features.Get<IHttpResponseBodyFeature>()!.DisableBuffering();
        await context.Response.WriteAsync(": jobs\n\n", left);
        await context.Response.Body.FlushAsync(left);
        await foreach (var job in workshop.Jobs.Listen(left))
        {
            await context.Response.WriteAsync($"data: {JsonSerializer.Serialize(job, Line)}\n\n", left);
            await context.Response.Body.FlushAsync(left);
        }
    }

    private static JsonSerializerOptions Line { get; } = new(JsonFile.Options) { WriteIndented = false };

    private static async Task<T> Read<T>(HttpContext context)
    {
        // A form of another page cannot say that it sends JSON.
        if (!(context.Request.ContentType ?? "").StartsWith("application/json", StringComparison.OrdinalIgnoreCase))
            throw new InvalidInputException("Requests to the studio are JSON.");
        return await JsonSerializer.DeserializeAsync<T>(context.Request.Body, Line, context.RequestAborted)
            ?? throw new JsonException("The request is null.");
    }

    private static Task Give<T>(HttpContext context, T answer)
    {
        context.Response.ContentType = Json;
        return context.Response.WriteAsync(JsonSerializer.Serialize(answer, Line), context.RequestAborted);
    }

    private static Task Refuse(HttpContext context, int status, string why)
    {
        if (context.Response.HasStarted)
            return Task.CompletedTask;
        context.Response.StatusCode = status;
        return Give(context, new Refusal(why));
    }

    private static Task Text(HttpContext context, string text)
    {
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }
}

/// <summary>A job to be cancelled.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record CancelRequest(int Id);
